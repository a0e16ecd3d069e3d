"""The smallest harm that a finished run would have found."""

from __future__ import annotations

import math

from canary.formatting import WIDE, percent, points
from canary.judge.wording import subject
from canary.model import Finding, Judgement, Verdict
from canary.offline.plan.forecast import LIKELY_Z
from canary.policy import Policy


def achieved(policy: Policy, judgement: Judgement) -> tuple[str, ...]:
    """Return one sentence for each measured metric; for a failed one, that its harm was found."""
    metrics = {metric.name: metric for metric in policy.metrics}
    return tuple(
        f"{subject(metrics[finding.metric])}: {_found(finding)}"
        for finding in judgement.findings
        if finding.metric in metrics
        and finding.verdict is not Verdict.FAIL
        and math.isfinite(visible(finding))
    )


def visible(finding: Finding) -> float:
    """Return the smallest harm that a look finds with 80 % power, on the margin's scale."""
    error, bound = finding.details.get("error"), finding.details.get("fail_bound")
    if error is None or bound is None:
        return math.inf
    least = error * (bound + LIKELY_Z)
    return math.expm1(min(least, 50.0)) if finding.relative else least


def _found(finding: Finding) -> str:
    value = visible(finding)
    if value <= 0:
        return "its values did not change, so it is not known which harm would have been found"
    if value > WIDE * (finding.margin or 1.0):
        return "there is too little data to tell which harm would have been found"
    size = percent(value) if finding.relative else points(value)
    return f"harm of {size} or more would have been found"
