"""Zeros that would be left out unnoticed: values without a ratio, and periods without requests."""

from __future__ import annotations

import numpy as np

from canary.evidence.pairs import Pairs
from canary.evidence.pooling import needs_samples, possible
from canary.evidence.table import Columns, Table
from canary.model import Arm
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats

EXPECTED = 10.0
"""If this many requests are expected, chance does not explain that there is none."""


def without_ratio(policy: Policy, metric: Metric, pairs: Pairs) -> str:
    """Return a sentence if many values are zero where a ratio is compared, or an empty string."""
    if metric.kind not in ("gauge", "level") or metric.limit.scale == "points":
        return ""
    both = int(pairs.both.sum())
    counts = {arm: int((side.values[pairs.both] <= 0).sum()) for side, arm in pairs.sides}
    lost = int(np.any([side.values[pairs.both] <= 0 for side, _ in pairs.sides], axis=0).sum())
    if not both or lost <= policy.missing.share * both:
        return ""
    said = " and ".join(f"{count} of the {arm}'s" for arm, count in counts.items())
    return (
        f"of {both} values of each arm, {said} are 0 or less, and they have no ratio. If 0 is "
        "usual, use kind: level with a margin in points"
    )


def without_requests(policy: Policy, metric: Metric, pairs: Pairs) -> str:
    """Return a sentence if the candidate gets no requests any more, or an empty string."""
    if metric.kind == "throughput":
        candidate, baseline = pairs.candidate.values, pairs.baseline.values
    elif needs_samples(metric):
        candidate, baseline = _total(pairs.candidate.host_samples), pairs.baseline.samples
    else:
        return ""
    due = baseline * pairs.sent / (1 - pairs.sent)
    none = pairs.expected & (candidate == 0) & (due >= EXPECTED)
    count = int(none.sum())
    if count < policy.missing.consecutive:
        return ""
    what = metric.name if metric.kind == "throughput" else metric.per
    return (
        f"the candidate had no {what} in {count} periods in which the baseline had "
        f"{baseline[none].sum():,.0f}; see whether it still gets traffic"
    )


def all_negative(metric: Metric, table: Table, columns: Columns) -> str:
    """Return a sentence if all values of an arm are negative, or an empty string."""
    for arm in Arm:
        values = table.host_rows(metric, arm, columns).values
        known = np.isfinite(values)
        if known.any() and not possible(metric, values).any():
            return (
                f"all values of the {arm} are negative, and a {metric.kind} has none. Only "
                "kind: level may be negative, with a margin in points"
            )
    return ""


def _total(samples: Floats) -> Floats:
    known = np.isfinite(samples)
    total: Floats = np.where(known, samples, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total, np.nan)
