"""The parts that findings of every kind share: an empty one, its score, and its scale."""

from __future__ import annotations

import math

from canary.evidence.pairs import Pairs
from canary.evidence.quality import stopped
from canary.model import Finding, Verdict
from canary.policy import Metric, Policy

HIGHEST_FAIL = 49.0


def blank_finding(policy: Policy, metric: Metric, sentence: str, pairs: Pairs) -> Finding:
    """Return an undecided finding without numbers."""
    return Finding(
        metric=metric.name,
        verdict=Verdict.INCONCLUSIVE,
        sentence=sentence,
        critical=metric.critical,
        muted=metric.muted,
        group=metric.group,
        weight=metric.weight,
        relative=metric.limit.scale == "relative",
        margin=metric.limit.value,
        periods=int(pairs.both.sum()),
        silent=stopped(policy, pairs),
    )


def on_scale(metric: Metric, sign: float, value: float) -> float:
    """Return a difference on the scale of its margin."""
    if metric.limit.scale == "points":
        return value
    return math.expm1(min(value, 700.0)) if sign > 0 else -math.expm1(min(-value, 700.0))


def score_of(verdict: Verdict, fail: float, passed: float, margins: float) -> float:
    """Return a score from 0 to 100. It is for display only and decides nothing.

    ``margins`` is the harm found in units of the margin: FAIL is 49 at one margin, 4.9 at ten.
    """
    if verdict is Verdict.PASS:
        return 100.0
    if verdict is Verdict.FAIL:
        return round(HIGHEST_FAIL / max(margins, 1.0), 2)
    between = 50 * (1 + min(max(passed, -1.0), 1.0) - min(max(fail, -1.0), 1.0))
    return round(min(max(between, 1.0), 99.0), 2)
