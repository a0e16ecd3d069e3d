"""The report as Markdown: for a pull request, a chat, a release note."""

from __future__ import annotations

from collections.abc import Sequence

from canary.formatting import duration, percent
from canary.model import Finding, Judgement, Recording, Release, Verdict
from canary.policy import Policy
from canary.report import policy_view
from canary.report.curves import span
from canary.report.findings import share, size, tally
from canary.report.limits import FEW_SENTENCES, some
from canary.report.wording import change, moment, urgency

MARKS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "❔"}
HEAD = "| metric | verdict | difference (interval) | margin | to FAIL | to PASS |"
RULE = "| --- | --- | --- | --- | ---: | ---: |"


def render_markdown(policy: Policy, recording: Recording, judgements: Sequence[Judgement]) -> str:
    """Return the headline, the releases, the findings and notes about the data."""
    last = judgements[-1] if judgements else None
    verdict = last.verdict if last else Verdict.INCONCLUSIVE
    start, end = span(recording, judgements)
    lines = [
        f"## {MARKS[verdict]} {verdict}: {last.reason if last else 'No judgement was made.'}",
        "",
        f"{_release(recording.candidate)} against {_release(recording.baseline)} in "
        f"**{recording.environment}**, from {moment(start)}, {duration(end - start)}, "
        f"weights {_weights(recording)}.",
    ]
    if last:
        lines += ["", *_table(last), "", *_sentences(last), "", _promise(policy)]
    return "\n".join(lines).rstrip() + "\n"


def _table(judgement: Judgement) -> list[str]:
    rows = [_row(finding) for finding in sorted(judgement.findings, key=urgency)]
    return [HEAD, RULE, *rows]


def _row(f: Finding) -> str:
    margin = "" if f.margin is None else change(f, f.margin)
    name = policy_view.title(f.metric) + " (muted)" * f.muted + " **critical**" * f.critical
    cells = (name, f"{MARKS[f.verdict]} {f.verdict}", size(f), margin)
    ends = (f"{share(f.towards_fail)} %", f"{share(f.towards_pass)} %")
    return "| " + " | ".join(_cell(cell) for cell in (*cells, *ends)) + " |"


def _sentences(judgement: Judgement) -> list[str]:
    lines = [f"*{tally(judgement)}*", ""]
    findings = sorted(judgement.findings, key=urgency)
    lines += [f"- {f.sentence}" for f in findings if f.verdict is not Verdict.PASS]
    if judgement.advice:
        lines += ["", f"**What would change this:** {judgement.advice}"]
    if judgement.quality:
        lines += [
            "",
            "**Data quality:**",
            "",
            *(f"- {s}" for s in some(judgement.quality, FEW_SENTENCES, "sentence")),
        ]
    return lines


def _promise(policy: Policy) -> str:
    return (
        f"*Error rates: false FAIL in at most {percent(policy.alpha)} of canaries, false PASS of "
        f"harm as large as a margin in at most {percent(policy.beta)}.*"
    )


def _release(release: Release) -> str:
    return f"`{release.name}` ({release.commit[:12]}, {release.colour})"


def _weights(recording: Recording) -> str:
    return " → ".join(percent(step.candidate) for step in recording.steps) or "unknown"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
