"""Infinite values: a quantile that lies beyond the largest bucket of a histogram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from canary.evidence.pairs import Pairs
from canary.formatting import plural
from canary.model import Arm, Recording
from canary.policy import Metric

MEANING = (
    "as of a quantile beyond the largest bucket of the histogram. Add larger buckets, and see "
    "whether requests time out"
)


Noted = Mapping[tuple[str, Arm], frozenset[int]]
"""Times of infinite values, by metric and arm."""


def infinite_times(recording: Recording, times: Sequence[int]) -> Noted:
    """Return the judged times at which any host of an arm has an infinite value."""
    found: dict[tuple[str, Arm], set[int]] = {}
    for one in recording.series:
        if one.infinite:
            found.setdefault((one.metric, one.arm), set()).update(one.infinite)
    return {key: frozenset(noted.intersection(times)) for key, noted in found.items()}


def all_infinite(metric: Metric, noted: Noted, pairs: Pairs) -> str:
    """Return which arm has infinite values only, or an empty string."""
    for side, arm in pairs.sides:
        known = np.isfinite(side.values) & pairs.expected
        if not known.any() and (found := noted.get((metric.name, arm))):
            return f"the {arm}'s value is infinite in all {len(found)} periods, {MEANING}"
    return ""


def some_infinite(metric: Metric, noted: Noted) -> str:
    """Return in how many periods an arm has an infinite value, or an empty string."""
    for arm in (Arm.CANDIDATE, Arm.BASELINE):
        if found := noted.get((metric.name, arm)):
            return f"a value of the {arm} is infinite in {plural(len(found), 'period')}, {MEANING}"
    return ""
