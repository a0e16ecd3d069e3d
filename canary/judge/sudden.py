"""Findings of a FAIL that the mean over the whole run does not show: sudden, late or rare harm."""

from __future__ import annotations

from dataclasses import replace

from canary.evidence.pairs import Pairs
from canary.judge.blank import blank_finding, on_scale, score_of
from canary.judge.comparison import usual_level
from canary.judge.floor import margin_in_force
from canary.judge.notices import acute_effect, acute_sentence, late_sentence
from canary.judge.wording import count_sentence
from canary.model import Finding, Verdict
from canary.policy import Metric, Policy


def at_once(
    policy: Policy, metric: Metric, pairs: Pairs, details: dict[str, float], after: str
) -> Finding:
    """Return the finding of a catastrophe. It shows the newest periods, not the mean of the run."""
    told, effect = acute_sentence(metric, details, after), acute_effect(metric, details)
    return _failed(blank_finding(policy, metric, told, pairs), effect, metric.limit.value, details)


def tells_otherwise(metric: Metric, details: dict[str, float], margins: float, low: float) -> bool:
    """Return whether the mean of the whole run contradicts a FAIL that other numbers explain.

    It does if it is below the margin, or if its interval includes no harm. ``margins`` is the mean
    in margins, ``low`` the lower end of its interval.
    """
    if "late_effect" in details:
        return margins < 1 or low <= 0
    return metric.kind == "count" and margins < 1


def shown_otherwise(
    policy: Policy,
    metric: Metric,
    sign: float,
    pairs: Pairs,
    details: dict[str, float],
    ending: str,
) -> Finding:
    """Return the finding of a FAIL that the mean of the whole run would contradict.

    It shows the newest periods, if they alone show the harm. Else it shows the events of a count in
    all, because the mean over the periods weighs single ones less.
    """
    if "late_effect" in details:
        effect = on_scale(metric, sign, details["late_effect"])
        told = late_sentence(metric, sign, details, ending)
    else:
        effect = _effect_in_all(sign, details)
        level = 1 - 2 * policy.beta
        told = count_sentence(metric, sign, details, (effect, effect, effect), level, ending)
    margin = margin_in_force(metric, usual_level(pairs.baseline.values[None, :]), sign)
    return _failed(blank_finding(policy, metric, told, pairs), effect, margin, details)


def _effect_in_all(sign: float, details: dict[str, float]) -> float:
    """Return the difference of two rates of all events."""
    g, b = details["candidate_events"] + 0.5, details["baseline_events"] + 0.5
    ratio = g / b * details["baseline_chances"] / max(details["candidate_chances"], 1e-9)
    return sign * (ratio - 1)


def _failed(blank: Finding, effect: float, margin: float, details: dict[str, float]) -> Finding:
    return replace(
        blank,
        verdict=Verdict.FAIL,
        effect=effect,
        towards_fail=1.0,
        margin=margin,
        score=score_of(Verdict.FAIL, 1.0, 0.0, effect / margin),
        details=details,
    )
