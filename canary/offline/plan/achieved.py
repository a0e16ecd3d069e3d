"""The smallest harm that a finished run would have found."""

from __future__ import annotations

import math

from canary.formatting import is_wide, number, plural, quantity
from canary.judge.wording import amount, harm_words, subject
from canary.model import Finding, Judgement, Verdict
from canary.offline.plan.forecast import LIKELY_Z
from canary.policy import Metric, Policy


def achieved(policy: Policy, judgement: Judgement) -> tuple[str, ...]:
    """Return one sentence for each measured metric; for a failed one, that its harm was found."""
    metrics = {metric.name: metric for metric in policy.metrics}
    measured = [
        (metrics[finding.metric], finding)
        for finding in judgement.findings
        if finding.metric in metrics and finding.verdict is not Verdict.FAIL
    ]
    return tuple(
        f"{subject(metric)}: {_found(metric, finding, value)}"
        for metric, finding in measured
        if math.isfinite(value := visible(metric, finding))
    )


def visible(metric: Metric, finding: Finding) -> float:
    """Return the smallest harm that a look finds with 80 % power, on the margin's scale."""
    error, bound = finding.details.get("error"), finding.details.get("fail_bound")
    if error is None or bound is None:
        return math.inf
    least = error * (bound + LIKELY_Z)
    if not finding.relative:
        return least
    least = min(least, 50.0)
    return -math.expm1(-least) if metric.harmful == "decrease" else math.expm1(least)


def _found(metric: Metric, finding: Finding, value: float) -> str:
    if value <= 0:
        return "its values did not change, so it is not known which harm would have been found"
    margin = finding.margin or 1.0
    if is_wide(value, margin) and finding.verdict is not Verdict.PASS:
        return f"too little data to find harm of any usual size ({_data(metric, finding)})"
    if finding.verdict is Verdict.PASS:
        return f"harm beyond {_margin(metric, margin)} is ruled out{_needed(metric, value, margin)}"
    return f"{harm_words(metric, value)} would have been found"


def _margin(metric: Metric, margin: float) -> str:
    """Return the margin in force. A count has two, of which one was ruled out.

    The margin of a small value is its negligible amount: "3,000 %" of it says nothing.
    """
    if metric.kind == "count":
        return "its margin"
    if metric.negligible_amount > 0 and margin > metric.limit.value:
        return f"the accepted {quantity(metric.negligible_amount, metric.unit or '')}"
    return f"its margin of {amount(metric, margin)}"


def _needed(metric: Metric, value: float, margin: float) -> str:
    """Return the harm that would FAIL. Between it and the margin, a run stays undecided."""
    if value <= margin or is_wide(value, margin):
        return ""
    return f", and {harm_words(metric, value)} would have failed"


def _data(metric: Metric, finding: Finding) -> str:
    """Return the amount of measured data."""
    numbers = finding.details
    if metric.kind != "count" or metric.per == "time":
        return plural(finding.periods, "period")
    events = numbers["candidate_events"] + numbers["baseline_events"]
    return (
        f"{number(events)} in {numbers['candidate_chances']:,.0f} {metric.per} of the candidate "
        f"and {numbers['baseline_chances']:,.0f} of the baseline"
    )
