"""The report as one HTML file, readable without network and scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from canary.evidence.table import Table, table_of
from canary.formatting import duration, number, percent
from canary.model import Arm, Finding, Judgement, Recording, Release, Verdict
from canary.policy import Policy
from canary.report import files, limits, plots, policy_view, timeline
from canary.report.axes import Plot, paint
from canary.report.confidence import paragraphs
from canary.report.curves import Trail, span, trails
from canary.report.findings import Bar, bar, share, size, tally
from canary.report.summary import in_short
from canary.report.wording import moment, unbroken, urgency

NOTHING = "No judgement was made: there is no data about the candidate."


@dataclass(frozen=True, slots=True)
class MetricRow:
    """Everything that the page shows about one metric."""

    title: str
    unit: str
    finding: Finding
    labels: str
    size: str
    margin: str
    bar: Bar | None
    fail: int
    cleared: int
    measured: Plot | None
    effect: Plot | None


@dataclass(frozen=True, slots=True)
class Live:
    """What a page says about a running canary, besides its report.

    Attributes:
        word: instead of the verdict, such as WATCHING.
        reason: instead of the last judgement's, if there is another.
        version: text that differs when the page does.
    """

    word: str
    sentence: str
    version: str
    reason: str = ""


def render_html(
    policy: Policy,
    recording: Recording,
    judgements: Sequence[Judgement],
    second: Judgement | None = None,
    live: Live | None = None,
) -> str:
    """Return the report; ``second`` is another judge's opinion, shown beside the verdict."""
    last = judgements[-1] if judgements else None
    times, table = span(recording, judgements), table_of(policy, recording)
    reason = (live.reason if live else "") or (last.reason if last else NOTHING)
    headline, _, more = reason.partition(". ")
    metrics = sorted(trails(judgements), key=lambda trail: urgency(trail.last))
    hosts = limits.hosts_drawn(len(metrics), len(table.times))
    return template("report.html").render(
        live=live,
        verdict=last.verdict if last else Verdict.INCONCLUSIVE,
        headline=headline,
        more=more,
        summary=() if live else in_short(policy, recording, last),
        advice=last.advice if last and live else "",
        quality=limits.some(last.quality if last else (), limits.MOST_SENTENCES, "sentence"),
        recording=recording,
        began=moment(times[0]),
        facts=_facts(recording, judgements, times),
        sides=_sides(recording),
        traffic=timeline.traffic(recording, *times),
        evidence=timeline.evidence(judgements, *times),
        looks=len(judgements),
        strip=timeline.strip(judgements, *times),
        events=[(_after(e.time - times[0]), e) for e in recording.events[-limits.MOST_EVENTS :]],
        tally=tally(last) if last else "",
        rows=_rows(policy, table, metrics, times, hosts),
        more_findings=max(len(metrics) - limits.MOST_FINDINGS, 0),
        left_out=limits.left_out(recording, len(metrics), hosts),
        second=second,
        confidence=paragraphs(policy, recording, last, len(judgements)),
        downloads=files.downloads(policy, recording),
        too_large=files.too_large(recording),
        policy_text=policy_view.as_text(policy),
    )


@cache
def template(name: str) -> Template:
    """Return a template of a page, with styles and scripts."""
    loader = PackageLoader("canary.report")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["number"] = number
    environment.filters["unbroken"] = unbroken
    parts = {"css": "report.css", "script": "report.js", "live_script": "live.js"}
    for part, file in parts.items():
        environment.globals[part] = Markup(loader.get_source(environment, file)[0])  # noqa: S704
    return environment.get_template(name)


def _rows(
    policy: Policy, table: Table, metrics: Sequence[Trail], times: tuple[int, int], hosts: int
) -> list[MetricRow]:
    return [
        _row(policy, table, trail, times, hosts if at < limits.MOST_PLOTS else None)
        for at, trail in enumerate(metrics[: limits.MOST_FINDINGS])
    ]


def _row(
    policy: Policy, table: Table, trail: Trail, times: tuple[int, int], hosts: int | None
) -> MetricRow:
    """Return what the page shows of a metric; without plots if ``hosts`` is None."""
    finding, recording = trail.last, table.recording
    metric, unit = (
        policy_view.metric(policy, finding.metric),
        policy_view.unit(policy, finding.metric),
    )
    unused = policy_view.unused(policy, recording, finding.metric, times[1])
    return MetricRow(
        title=policy_view.title(finding.metric),
        unit=unit,
        finding=finding,
        labels=_labels(finding),
        size=size(finding),
        margin=_margin(finding),
        bar=bar(finding),
        fail=share(finding.towards_fail),
        cleared=share(finding.towards_pass),
        measured=(
            None if hosts is None else plots.measured(table, metric, unit, unused, times, hosts)
        ),
        effect=None if hosts is None else plots.effect(recording, trail, times),
    )


def _margin(finding: Finding) -> str:
    if finding.margin is None:
        return ""
    return percent(finding.margin) if finding.relative else number(finding.margin)


def _labels(finding: Finding) -> str:
    words = ["critical"] * finding.critical + ["muted"] * finding.muted
    words += [finding.group] if finding.group else []
    words.append(f"{finding.periods} periods")
    return ", ".join(words)


def _sides(recording: Recording) -> tuple[tuple[str, Release, str, str], ...]:
    sides = (
        ("Baseline", recording.baseline, Arm.BASELINE),
        ("Candidate", recording.candidate, Arm.CANDIDATE),
    )
    return tuple(
        (name, release, paint(recording, arm), ", ".join(_names(release)))
        for name, release, arm in sides
    )


def _names(release: Release) -> list[str]:
    return limits.some(release.instances, limits.MOST_NAMES, "instance")


def _facts(
    recording: Recording, judgements: Sequence[Judgement], times: tuple[int, int]
) -> list[tuple[str, str]]:
    facts = [("Candidate", recording.candidate.name), ("Baseline", recording.baseline.name)]
    if judgements:
        open_still = judgements[-1].verdict is Verdict.INCONCLUSIVE
        length = duration(judgements[-1].at - times[0])
        facts.append(("Watched for" if open_still else "Decided after", length))
        facts.append(("Looks", f"{len(judgements)}, one every {duration(recording.period)}"))
    if recording.steps:
        most = max(step.candidate for step in recording.steps)
        facts.append(("Most traffic on the candidate", percent(most)))
    last = judgements[-1] if judgements else None
    if last and last.score is not None and last.verdict is not Verdict.INCONCLUSIVE:
        facts.append(("Score", f"{last.score:.0f} of 100"))
    return facts


def _after(seconds: int) -> str:
    return f"after {duration(seconds)}" if seconds >= 0 else f"{duration(-seconds)} before"
