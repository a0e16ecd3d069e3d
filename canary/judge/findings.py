"""One metric's finding at one look: verdict, numbers, sentence."""

from __future__ import annotations

import math

import numpy as np

from canary.judge.evidence import Evidence
from canary.judge.models import models_of
from canary.judge.pairs import Pairs
from canary.judge.rules import sign_of
from canary.judge.words import comparison_sentence, no_data_sentence
from canary.model import Finding, Recording, Verdict
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats

ALMOST = 0.999
LEAST_PAIRS = 2


def finding_of(policy: Policy, metric: Metric, recording: Recording, pairs: Pairs) -> Finding:
    """Judge one metric by the periods in ``pairs``."""
    problem = missing_reason(metric, pairs)
    if problem:
        return _finding(metric, Verdict.INCONCLUSIVE, no_data_sentence(metric, problem), pairs)
    k = len(pairs.expected)
    looked = [model.look(k) for model in models_of(policy, metric, recording, pairs)]
    worst = max(looked, key=lambda one: float(one.effect[0]))
    sign = -sign_of(metric) if worst is not looked[0] else sign_of(metric)
    fail = max(float(one.towards_fail[0]) for one in looked)
    passed = min(float(one.towards_pass[0]) for one in looked)
    verdict = Verdict.FAIL if fail >= 1 else Verdict.PASS if passed >= 1 else Verdict.INCONCLUSIVE
    estimate = tuple(shown(metric, sign, x) for x in (worst.effect, worst.low, worst.high))
    effect, low, high = sorted_interval(estimate)
    seconds = k * recording.period + policy.warmup
    level = 1 - 2 * policy.beta
    sentence = comparison_sentence(metric, sign, verdict, (effect, low, high), level, seconds)
    return Finding(
        metric=metric.name,
        verdict=verdict,
        sentence=sentence,
        critical=metric.critical,
        muted=metric.muted,
        group=metric.group,
        weight=metric.weight,
        relative=metric.limit.scale == "relative",
        effect=effect,
        low=_finite(low),
        high=_finite(high),
        margin=metric.limit.value,
        towards_fail=_unit(fail),
        towards_pass=_unit(passed),
        periods=int(pairs.both.sum()),
        score=score_of(verdict, fail, passed),
        details=_details(worst),
    )


def missing_reason(metric: Metric, pairs: Pairs) -> str:
    """Say why there is nothing to compare, or nothing."""
    for side, arm in ((pairs.candidate, "candidate"), (pairs.baseline, "baseline")):
        if side.instances == 0:
            return f"the {arm} has no series named {metric.name!r}"
    if not pairs.expected.any():
        if metric.needs_equal_footing and len(pairs.expected):
            return "both arms carried the same load in no period yet"
        return "no period has ended since the warm-up"
    for side, arm in ((pairs.candidate, "candidate"), (pairs.baseline, "baseline")):
        if not (np.isfinite(side.values) & pairs.expected).any():
            return f"the {arm} has no value in any period"
    if int(pairs.both.sum()) < LEAST_PAIRS:
        return f"only {int(pairs.both.sum())} period holds a value of both arms"
    return ""


def _finding(metric: Metric, verdict: Verdict, sentence: str, pairs: Pairs) -> Finding:
    return Finding(
        metric=metric.name,
        verdict=verdict,
        sentence=sentence,
        critical=metric.critical,
        muted=metric.muted,
        group=metric.group,
        weight=metric.weight,
        relative=metric.limit.scale == "relative",
        margin=metric.limit.value,
        periods=int(pairs.both.sum()),
    )


def shown(metric: Metric, sign: float, log_effect: Floats) -> float:
    """Return an effect as a reader wants it: positive is harm, 0.12 is 12 % worse."""
    value = float(log_effect[0])
    if metric.limit.scale == "points":
        return value
    return math.expm1(min(value, 50.0)) if sign > 0 else -math.expm1(min(-value, 50.0))


def sorted_interval(estimate: tuple[float, ...]) -> tuple[float, float, float]:
    """Return effect, low and high."""
    effect, low, high = estimate
    return effect, min(low, high), max(low, high)


def score_of(verdict: Verdict, fail: float, passed: float) -> float:
    """Return 0 to 100: how far the evidence lies between the two lines; it decides nothing."""
    if verdict is Verdict.PASS:
        return 100.0
    if verdict is Verdict.FAIL:
        return 0.0
    between = 50 * (1 + min(max(passed, -1.0), 1.0) - min(max(fail, -1.0), 1.0))
    return round(min(max(between, 1.0), 99.0), 2)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _details(evidence: Evidence) -> dict[str, float]:
    return {
        name: float(values[0])
        for name, values in sorted(evidence.parts.items())
        if math.isfinite(float(values[0]))
    }
