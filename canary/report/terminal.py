"""The report in a terminal, also as the live table of `canary run`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from canary.formatting import UNKNOWN, duration, number, percent, says_nothing
from canary.model import Finding, Judgement, Recording, Verdict
from canary.policy import Policy
from canary.report import policy_view
from canary.report.curves import span
from canary.report.findings import share, tally
from canary.report.limits import FEW_SENTENCES, some
from canary.report.wording import change, effect_words, has_interval, urgency

STYLES = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.INCONCLUSIVE: "yellow"}
MARKS = {Verdict.PASS: "✔", Verdict.FAIL: "✘", Verdict.INCONCLUSIVE: "·"}
WORDS = {Verdict.PASS: "PASS", Verdict.FAIL: "FAIL", Verdict.INCONCLUSIVE: "open"}
RIGHT = ("worse by", "interval", "margin")
METER = 4


def render_terminal(
    policy: Policy,
    recording: Recording,
    judgements: Sequence[Judgement],
    *,
    live: bool = False,
) -> RenderableType:
    """Return the state after the newest look; ``live``: the canary is still running."""
    if not judgements:
        return Text("Waiting for the first judgement ...", style="dim")
    last = judgements[-1]
    parts: list[RenderableType] = [
        _headline(last, live=live),
        _course(policy, recording, judgements),
        _table(last),
    ]
    parts += [
        Text(f"! {sentence}", style="yellow")
        for sentence in some(last.quality, FEW_SENTENCES, "sentence")
    ]
    if last.advice:
        parts.append(Text.assemble(("What would change this: ", "bold"), last.advice))
    return Group(*parts)


def _headline(judgement: Judgement, *, live: bool) -> RenderableType:
    undecided = live and judgement.verdict is Verdict.INCONCLUSIVE
    word = "WATCHING" if undecided else str(judgement.verdict)
    style = STYLES[judgement.verdict]
    return Panel(Text.assemble((word, style), "  ", judgement.reason), border_style=style)


def _course(policy: Policy, recording: Recording, judgements: Sequence[Judgement]) -> Text:
    """Return elapsed time, share of traffic, and a mark for each look."""
    start, last = span(recording, judgements)[0], judgements[-1]
    reached = [step for step in recording.steps if step.start < last.at] or recording.steps[:1]
    share_now = f"{percent(reached[-1].candidate)} of traffic" if reached else "no traffic"
    most = duration(policy.maximum)
    text = Text(f" {duration(last.at - start)} of at most {most}, {share_now}  ", style="dim")
    for judgement in judgements[-30:]:
        text.append(MARKS[judgement.verdict], style=STYLES[judgement.verdict])
    return text.append(f"\n {tally(last)}", style="dim")


def _table(judgement: Judgement) -> Table:
    """Return a table for 80 columns, in which names wrap and numbers do not."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("metric", min_width=10)
    for name in ("", "worse by", "interval", "margin", "to FAIL %", "to PASS %"):
        table.add_column(name, no_wrap=True, justify="right" if name in RIGHT else "left")
    for finding in sorted(judgement.findings, key=urgency):
        table.add_row(*_row(finding), style="dim" if finding.muted else "")
    return table


def _row(finding: Finding) -> tuple[RenderableType, ...]:
    name = Text(policy_view.title(finding.metric), style="bold" if finding.critical else "")
    return (
        name.append(" (muted)" if finding.muted else ""),
        Text(f"{MARKS[finding.verdict]} {WORDS[finding.verdict]}", style=STYLES[finding.verdict]),
        effect_words(finding),
        _interval(finding),
        "" if finding.margin is None else _size(finding, finding.margin),
        _meter(finding.towards_fail, "red"),
        _meter(finding.towards_pass, "green"),
    )


def _interval(finding: Finding) -> str:
    """Return both ends with one per cent sign."""
    if finding.low is None or finding.high is None or not has_interval(finding):
        return ""
    if says_nothing(finding.low, finding.high, finding.margin or 1.0):
        return UNKNOWN
    low, high = change(finding, finding.low), change(finding, finding.high)
    return f"{low.removesuffix(' %')} to {high}"


def _size(finding: Finding, value: float) -> str:
    return percent(value) if finding.relative else number(value)


def _meter(progress: float, colour: str) -> Text:
    whole = share(progress)
    filled = METER * whole // 100
    bar = Text("━" * filled, style=colour)
    return bar.append("─" * (METER - filled), style="dim").append(f" {whole:3d}")
