"""From findings to one verdict and its reason: FAIL at once, PASS only when all of it is shown."""

from __future__ import annotations

import math
from dataclasses import dataclass

from canary.evidence.quality import Quality
from canary.formatting import duration
from canary.model import Finding, Recording, Verdict
from canary.policy import Policy

UNPROVEN = 0.2
"""Weight of metrics that are not critical, as a share of theirs, that PASS may leave open."""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that a verdict is made from."""

    policy: Policy
    recording: Recording
    findings: tuple[Finding, ...]
    quality: Quality
    elapsed: int

    @property
    def failed(self) -> list[Finding]:
        """Findings that show harm, the gravest first."""
        found = [one for one in self.findings if one.verdict is Verdict.FAIL and not one.muted]
        return sorted(found, key=lambda one: (not one.critical, -_excess(one)))

    @property
    def undecided(self) -> list[Finding]:
        """Findings that still stand between this canary and PASS."""
        left = [one for one in self.findings if not one.muted]
        left = [one for one in left if one.verdict is Verdict.INCONCLUSIVE]
        critical = [one for one in left if one.critical]
        return critical or (left if not _enough(self.findings) else [])


def _excess(finding: Finding) -> float:
    """Return how many margins of harm were found."""
    if finding.effect is None or not finding.margin:
        return math.inf
    return finding.effect / finding.margin


def _enough(findings: tuple[Finding, ...]) -> bool:
    """Whether enough of what is not critical has passed, and anything at all has."""
    counted = [finding for finding in findings if not finding.muted]
    others = [finding for finding in counted if not finding.critical]
    total = math.fsum(finding.weight for finding in others)
    passed = math.fsum(one.weight for one in others if one.verdict is Verdict.PASS)
    anything = any(one.verdict is Verdict.PASS and one.periods > 0 for one in counted)
    return anything and passed >= (1 - UNPROVEN) * total


def verdict_of(case: Case) -> Verdict:
    """Return the verdict."""
    if case.failed:
        return Verdict.FAIL
    served = case.elapsed >= case.policy.minimum
    shown = not case.undecided and _enough(case.findings)
    if shown and served and not case.quality.blocking:
        return Verdict.PASS
    return Verdict.INCONCLUSIVE


def reason_of(case: Case, verdict: Verdict) -> str:
    """Return the sentence that a reader sees first."""
    since = duration(max(case.elapsed, 0))
    if verdict is Verdict.FAIL:
        return case.failed[0].sentence
    if verdict is Verdict.PASS:
        return f"No harm beyond the margins: every metric that matters was shown after {since}"
    if not case.recording.steps:
        return "The candidate has had no traffic, so there is nothing to compare"
    if case.quality.blocking:
        return f"The evidence cannot be trusted: {case.quality.blocking[0]}"
    if case.undecided:
        return _open(case.undecided, since)
    if case.elapsed < case.policy.minimum:
        return (
            f"No harm is seen after {since}, but the policy asks for "
            f"{duration(case.policy.minimum)}"
        )
    return f"Nothing is shown after {since}: no metric has passed"


def _open(undecided: list[Finding], since: str) -> str:
    names = [finding.metric for finding in undecided]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    first = undecided[0].sentence
    return f"Neither harm nor its absence is shown after {since} for {listed}. {first}"
