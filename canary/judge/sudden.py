"""Findings of a FAIL that the mean over the whole run does not show: sudden, late or rare harm."""

from __future__ import annotations

from dataclasses import replace

from canary.evidence.pairs import Pairs
from canary.judge.blank import blank_finding, on_scale, score_of
from canary.judge.comparison import usual_level
from canary.judge.floor import margin_in_force
from canary.judge.notices import acute_effect, acute_sentence, late_words
from canary.judge.wording import allowed_words, count_sentence
from canary.model import Finding, Verdict
from canary.policy import Metric, Policy


def at_once(
    policy: Policy, metric: Metric, pairs: Pairs, details: dict[str, float], after: str
) -> Finding:
    """Return the finding of a catastrophe. It shows the newest periods, not the mean of the run."""
    effect = acute_effect(metric, details)
    return replace(
        blank_finding(policy, metric, acute_sentence(metric, details, after), pairs),
        verdict=Verdict.FAIL,
        effect=effect,
        towards_fail=1.0,
        score=score_of(Verdict.FAIL, 1.0, 0.0, effect / metric.limit.value),
        details=details,
    )


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
    """Return the finding of a FAIL that the mean of the whole run does not explain."""
    if "late_effect" in details:
        return failed_late(policy, metric, sign, pairs, details, ending)
    return failed_in_all(policy, metric, sign, pairs, details, ending)


def failed_late(
    policy: Policy,
    metric: Metric,
    sign: float,
    pairs: Pairs,
    details: dict[str, float],
    ending: str,
) -> Finding:
    """Return the finding of harm that only the newest periods show.

    The mean of the whole run is still small, and would contradict the FAIL.
    """
    told = f"{late_words(metric, sign, details)}. Allowed: {allowed_words(metric, sign)}. {ending}"
    effect = on_scale(metric, sign, details["late_effect"])
    return _failed(policy, metric, sign, pairs, (effect, told), details)


def failed_in_all(
    policy: Policy,
    metric: Metric,
    sign: float,
    pairs: Pairs,
    details: dict[str, float],
    ending: str,
) -> Finding:
    """Return the finding of a count that fails by its events in all.

    The mean over the periods, which weighs single periods less, would contradict the FAIL.
    """
    g, b = details["candidate_events"] + 0.5, details["baseline_events"] + 0.5
    ratio = g / b * details["baseline_chances"] / max(details["candidate_chances"], 1e-9)
    effect = sign * (ratio - 1)
    level = 1 - 2 * policy.beta
    told = count_sentence(metric, sign, details, (effect, effect, effect), level, ending)
    return _failed(policy, metric, sign, pairs, (effect, told), details)


def _failed(
    policy: Policy,
    metric: Metric,
    sign: float,
    pairs: Pairs,
    said: tuple[float, str],
    details: dict[str, float],
) -> Finding:
    effect, told = said
    margin = margin_in_force(metric, usual_level(pairs.baseline.values[None, :]), sign)
    return replace(
        blank_finding(policy, metric, told, pairs),
        verdict=Verdict.FAIL,
        effect=effect,
        towards_fail=1.0,
        margin=margin,
        score=score_of(Verdict.FAIL, 1.0, 0.0, effect / margin),
        details=details,
    )
