"""The finding of one metric at one look: verdict, numbers and a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from canary.evidence.comparable import missing_reason, stuck_reason
from canary.evidence.pairs import Pairs
from canary.evidence.quality import doubt, wrong
from canary.formatting import duration
from canary.judge.blank import HIGHEST_FAIL, blank_finding, on_scale, score_of
from canary.judge.channels import ALMOST, Assessment
from canary.judge.comparison import comparisons_of, usual_level
from canary.judge.floor import margin_in_force, unit_needed
from canary.judge.notices import is_acute, warming_words, withheld_words
from canary.judge.rule import signs_of
from canary.judge.sudden import at_once, shown_otherwise, tells_otherwise
from canary.judge.wording import (
    UNDECIDED,
    Estimate,
    comparison_sentence,
    count_sentence,
    growth_sentence,
    headline,
    no_data_sentence,
)
from canary.model import Finding, Recording, Verdict
from canary.policy import Metric, Policy

UNBOUNDED = 1e6
"""An upper limit of the interval beyond this is not shown."""


def finding_of(
    policy: Policy, metric: Metric, recording: Recording, pairs: Pairs, lead: Pairs | None = None
) -> Finding:
    """Judge one metric on the periods in ``pairs``; ``lead`` holds the periods of a lead-in."""
    if missing := missing_reason(metric, pairs):
        return blank_finding(policy, metric, no_data_sentence(metric, missing), pairs)
    k = len(pairs.expected)
    looked = [model.look(k) for model in comparisons_of(policy, metric, recording, pairs, lead)]
    turn = max(range(len(looked)), key=lambda at: _gravity(looked[at]))
    worst, sign = looked[turn], signs_of(metric)[turn]
    details, after = _details(worst, pairs), duration(k * recording.period + policy.warmup)
    if is_acute(details):
        return at_once(policy, metric, pairs, details, after)
    if stuck := stuck_reason(metric, pairs):
        return blank_finding(policy, metric, no_data_sentence(metric, stuck), pairs)
    effect, low, high = on_margin_scale(metric, sign, worst)
    usual = usual_level(pairs.baseline.values[None, :])
    small, margin = unit_needed(metric, usual, effect), margin_in_force(metric, usual, sign)
    fail, passed = _progress(looked, small)
    verdict, small = _verdict(fail, passed), small if fail >= ALMOST else ""
    held = _held(policy, metric, pairs, verdict, looked, small)
    if held and verdict is Verdict.PASS:
        verdict, passed = Verdict.INCONCLUSIVE, min(passed, ALMOST)
        details |= {"doubted": 1.0} if wrong(policy, metric, pairs) else {}
    ending = warming_words(metric, sign, details)
    ending += f"{UNDECIDED}: {held}" if held else _with_remark(verdict, after, pairs)
    if verdict is Verdict.FAIL and tells_otherwise(metric, details, effect / margin, low):
        return shown_otherwise(policy, metric, sign, pairs, details, ending)
    sentence = _sentence(policy, metric, sign, (effect, low, high), details, ending)
    return replace(
        blank_finding(policy, metric, sentence, pairs),
        verdict=verdict,
        effect=effect,
        low=low if math.isfinite(low) else None,
        high=high,
        towards_fail=_unit(fail),
        towards_pass=_unit(passed),
        margin=margin,
        score=score_of(verdict, fail, passed, effect / margin),
        details=details,
    )


def _verdict(fail: float, passed: float) -> Verdict:
    return Verdict.FAIL if fail >= 1 else Verdict.PASS if passed >= 1 else Verdict.INCONCLUSIVE


def _held(
    policy: Policy,
    metric: Metric,
    pairs: Pairs,
    verdict: Verdict,
    looked: Sequence[Assessment],
    small: str,
) -> str:
    """Return what withholds a verdict: a doubt about the data, the newest periods, or the unit."""
    if verdict is Verdict.PASS:
        return doubt(policy, metric, pairs)
    if verdict is Verdict.FAIL:
        return ""
    return "; ".join(filter(None, (pairs.doubt, _withheld(metric, looked)))) or small


def _progress(looked: Sequence[Assessment], small: str) -> tuple[float, float]:
    """Return how close the evidence is to FAIL and PASS; a ``small`` difference cannot FAIL."""
    fail = max(float(one.towards_fail[0]) for one in looked)
    passed = min(float(one.towards_pass[0]) for one in looked)
    return (min(fail, ALMOST) if small else fail), passed


def _gravity(assessment: Assessment) -> tuple[bool, float]:
    return is_acute(_details(assessment)), float(assessment.effect[0])


def _withheld(metric: Metric, looked: Sequence[Assessment]) -> str:
    """Return which of the newest periods withhold a PASS, or an empty string."""
    words = (
        withheld_words(metric, sign, _details(one))
        for sign, one in zip(signs_of(metric), looked, strict=True)
    )
    return next(filter(None, words), "")


def _with_remark(verdict: Verdict, after: str, pairs: Pairs) -> str:
    if verdict is not Verdict.INCONCLUSIVE:
        return f"{verdict} after {after}"
    return f"{UNDECIDED} after {after}" + (f": {pairs.remark}" if pairs.remark else "")


def _sentence(
    policy: Policy,
    metric: Metric,
    sign: float,
    estimate: Estimate,
    details: dict[str, float],
    ending: str,
) -> str:
    if metric.kind == "count":
        level = 1 - 2 * policy.beta
        return count_sentence(metric, sign, details, estimate, level, ending)
    growth = details.get("slope", 0.0) * 60 / policy.period
    if metric.kind == "level" and growth > (allowed := policy.drift_of(metric).value):
        ending = f"{growth_sentence(metric, growth, allowed)} {ending}"
    return comparison_sentence(metric, sign, estimate, 1 - 2 * policy.beta, ending)


def limit_finding(
    metric: Metric,
    name: str,
    pairs: Pairs,
    said: tuple[Verdict, str],
    held: tuple[float | None, float],
) -> Finding:
    """Return the finding of an absolute limit.

    ``said`` is the verdict and its words, ``held`` the value and the limit.
    """
    verdict, words = said
    value, limit = held
    return Finding(
        metric=f"{metric.name} {name}",
        verdict=verdict,
        sentence=f"{headline(metric)} {name}: {words}",
        critical=True,
        group=metric.group,
        relative=False,
        towards_fail=1.0 if verdict is Verdict.FAIL else 0.0,
        towards_pass=1.0 if verdict is Verdict.PASS else 0.0,
        periods=int(np.isfinite(pairs.candidate.values).sum()),
        score=_limit_score(verdict, value, limit),
        details={} if value is None else {"value": value, "limit": limit},
    )


def _limit_score(verdict: Verdict, value: float | None, limit: float) -> float | None:
    if verdict is not Verdict.FAIL:
        return None
    low, high = sorted((abs(value or 0.0), abs(limit)))
    return round(HIGHEST_FAIL * low / high, 2) if high > 0 else 0.0


def on_margin_scale(
    metric: Metric, sign: float, evidence: Assessment
) -> tuple[float, float, float | None]:
    """Return effect, low and high on the scale of the margin: positive is harm, 0.12 is 12 %."""
    effect, low, high = (
        on_scale(metric, sign, float(x[0])) for x in (evidence.effect, evidence.low, evidence.high)
    )
    return effect, low, high if high < UNBOUNDED else None


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _details(evidence: Assessment, pairs: Pairs | None = None) -> dict[str, float]:
    doubted = {"doubted": 1.0} if pairs is not None and pairs.doubt else {}
    return doubted | {
        name: float(values[0])
        for name, values in sorted(evidence.parts.items())
        if math.isfinite(float(values[0]))
    }
