"""Combine findings into one verdict and its reason. One FAIL is enough; PASS needs every metric."""

from __future__ import annotations

import math
from dataclasses import dataclass

from canary.evidence.quality import Quality
from canary.formatting import duration, listed
from canary.judge.wording import UNDECIDED
from canary.model import Finding, Recording, Verdict
from canary.policy import Metric, Policy

UNPROVEN = 0.2
"""Uncritical metrics with up to this share of their total weight may be undecided at PASS."""

ONE = "The only metric is within its margin"


@dataclass(frozen=True, slots=True)
class Case:
    """The input of a verdict."""

    policy: Policy
    recording: Recording
    findings: tuple[Finding, ...]
    quality: Quality
    elapsed: int

    @property
    def failed(self) -> list[Finding]:
        """The findings that show harm, largest harm first."""
        found = [one for one in self.findings if one.verdict is Verdict.FAIL and not one.muted]
        kinds = {metric.name: felt(metric) for metric in self.policy.metrics}
        return sorted(
            found, key=lambda one: (not one.critical, kinds.get(one.metric, 0), -_excess(one))
        )

    @property
    def undecided(self) -> list[Finding]:
        """The findings that still prevent PASS."""
        left = [one for one in self.findings if not one.muted]
        left = [one for one in left if one.verdict is Verdict.INCONCLUSIVE]
        critical = [one for one in left if one.critical]
        return critical or (left if not _enough(self.findings) else [])


def felt(metric: Metric) -> int:
    """Return the metric's place by effect on users: failures first, then latency, hosts last."""
    if metric.kind == "count" and metric.is_failure:
        return 0
    order = {"latency": 1, "quantile": 1, "count": 2, "throughput": 2}
    return order.get(metric.kind, 3)


def _excess(finding: Finding) -> float:
    """Return the harm found, in units of the margin."""
    if finding.effect is None or not finding.margin:
        return math.inf
    return finding.effect / finding.margin


def _enough(findings: tuple[Finding, ...]) -> bool:
    """Whether enough metrics that are not critical have passed, and at least one metric has."""
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
    """Return the headline."""
    since = duration(max(case.elapsed, 0))
    if verdict is Verdict.FAIL:
        return case.failed[0].sentence
    if verdict is Verdict.PASS:
        return _passed(case, since)
    if not case.recording.steps:
        return "The candidate has received no traffic: there is nothing to compare"
    if case.quality.blocking:
        return f"The data cannot be trusted: {case.quality.blocking[0]}"
    if case.undecided:
        return _open(case.undecided, since)
    if case.elapsed < case.policy.minimum:
        return (
            f"No harm found after {since}; the policy requires at least "
            f"{duration(case.policy.minimum)}"
        )
    return f"{UNDECIDED} after {since}: no metric has passed"


def _passed(case: Case, since: str) -> str:
    names = {metric.name for metric in case.policy.metrics if not metric.muted}
    counted = [finding for finding in case.findings if finding.metric in names]
    passed = sum(finding.verdict is Verdict.PASS for finding in counted)
    if passed == len(counted):
        many = "Both" if passed == 2 else f"All {passed}"
        metrics = f"{many} metrics are within their margins" if passed > 1 else ONE
        return f"{metrics} (decided after {since})"
    return (
        f"{passed} of {len(counted)} metrics are within their margins, among them every critical "
        f"one (decided after {since})"
    )


def _open(undecided: list[Finding], since: str) -> str:
    """Return the open metrics, first those without a comparison, which more time cannot decide."""
    names = listed([finding.metric for finding in undecided])
    first = min(undecided, key=lambda finding: finding.effect is not None)
    return f"{UNDECIDED} after {since}: {names}. {first.sentence}"
