"""The floor: an absolute difference below it is negligible, however large it is in per cent."""

from __future__ import annotations

import math
from dataclasses import replace

from canary.formatting import number
from canary.judge.rule import Rule
from canary.policy import Metric

MOST_LESS = 0.99
GUESSED_FLOOR, GUESSED_FROM, GUESSED_TO = 6.0, 1.0, 20.0
"""A latency without a unit is taken as milliseconds if the baseline's lies between the last two."""


def floored(rule: Rule, metric: Metric, usual: float) -> Rule:
    """Return the rule with at least the floor as its margin; ``usual`` is the baseline's value.

    FAIL needs an estimate beyond the floor. PASS rules out harm beyond the larger of both.
    """
    least = floor_of(metric, usual, rule.sign)
    if least <= 0:
        return rule
    acute = rule.acute
    if acute is not None:
        acute = replace(acute, times=max(acute.times, math.exp(least)))
    margin = max(rule.margin, least)
    return replace(rule, margin=margin, gate=max(rule.gate, least), acute=acute)


def floor_of(metric: Metric, usual: float, sign: float) -> float:
    """Return the negligible difference on the scale of the differences; 0 if there is none."""
    amount = metric.negligible_amount
    if amount <= 0:
        return 0.0
    if metric.limit.scale == "points":
        return amount
    if not usual > 0:
        return 0.0
    share = amount / usual
    return math.log1p(share) if sign > 0 else -math.log1p(-min(share, MOST_LESS))


def margin_in_force(metric: Metric, usual: float, sign: float) -> float:
    """Return the margin as a finding shows it: a relative change, or points."""
    least = floor_of(metric, usual, sign)
    if metric.limit.scale == "relative":
        least = math.expm1(least) if sign > 0 else -math.expm1(-least)
    return max(metric.limit.value, least)


def least_effect(metric: Metric, usual: float, sign: float) -> float:
    """Return the smallest difference of one host that may FAIL: a log ratio, or points."""
    guessed = math.log1p(GUESSED_FLOOR / usual) if _guessed(metric, usual) else 0.0
    return max(floor_of(metric, usual, sign), guessed)


def unit_needed(metric: Metric, usual: float, effect: float) -> str:
    """Return why a latency without a unit does not FAIL by a small difference, or ""."""
    more = usual * effect
    if not _guessed(metric, usual) or more > GUESSED_FLOOR:
        return ""
    return (
        f"the difference is only about {number(more)}, negligible if it is in milliseconds. Say "
        "so in the policy: unit: ms. If it is not: unit: s, or negligible: 0"
    )


def _guessed(metric: Metric, usual: float) -> bool:
    """Return whether a latency without a unit may mean a few milliseconds."""
    unknown = metric.unit is None and metric.negligible is None and metric.harmful == "increase"
    times = metric.kind in ("latency", "quantile")
    return times and unknown and GUESSED_FROM <= usual <= GUESSED_TO
