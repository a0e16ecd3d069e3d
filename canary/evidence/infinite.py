"""Infinite values: a quantile that lies beyond the largest bucket of a histogram."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from canary.evidence.pairs import Pairs
from canary.evidence.pooling import GroupSeries
from canary.evidence.table import Table
from canary.model import Arm
from canary.policy import Metric

MEANING = (
    "as of a quantile beyond the largest bucket of the histogram. Add larger buckets, and see "
    "whether requests time out"
)


def all_infinite(metric: Metric, table: Table, pairs: Pairs, times: Sequence[int]) -> str:
    """Return which arm has infinite values only, or an empty string."""
    for side, arm in _sides(pairs):
        known = np.isfinite(side.values) & pairs.expected
        if not known.any() and (count := _count(metric, table, arm, times)):
            return f"the {arm}'s value is infinite in all {count} periods, {MEANING}"
    return ""


def some_infinite(metric: Metric, table: Table, pairs: Pairs, times: Sequence[int]) -> str:
    """Return in how many periods an arm has an infinite value, or an empty string."""
    for _, arm in _sides(pairs):
        if count := _count(metric, table, arm, times):
            verb = "period" if count == 1 else "periods"
            return f"a value of the {arm} is infinite in {count} {verb}, {MEANING}"
    return ""


def _sides(pairs: Pairs) -> tuple[tuple[GroupSeries, Arm], ...]:
    return (pairs.candidate, Arm.CANDIDATE), (pairs.baseline, Arm.BASELINE)


def _count(metric: Metric, table: Table, arm: Arm, times: Sequence[int]) -> int:
    """Return the periods in which any host of an arm has an infinite value."""
    found = {
        time
        for one in table.recording.series
        if one.infinite and one.metric == metric.name and one.arm is arm
        for time in one.infinite
    }
    return len(found.intersection(times))
