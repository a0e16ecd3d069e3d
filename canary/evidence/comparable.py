"""Why a metric cannot be compared: no value, always the same value, or meaningless values."""

from __future__ import annotations

import numpy as np

from canary.evidence.pairs import Pairs
from canary.evidence.pooling import GroupSeries, needs_samples
from canary.formatting import percent
from canary.policy import Metric

LEAST_PAIRS = 2
STUCK_PAIRS = 4


def missing_reason(metric: Metric, pairs: Pairs) -> str:
    """Return why there is nothing to compare, or an empty string."""
    for side, arm in pairs.sides:
        if not side.hosts:
            return f"the {arm} has no series {metric.name!r}{remedy(metric)}"
    if not pairs.expected.any():
        return _unexpected(metric, pairs)
    if pairs.fault:
        return pairs.fault
    for side, arm in pairs.sides:
        if not (np.isfinite(side.values) & pairs.expected).any():
            return f"the {arm} has no value in any period{_unsampled(metric, side)}"
    if int(pairs.both.sum()) < LEAST_PAIRS:
        return f"only {int(pairs.both.sum())} period has a value of both arms"
    return ""


def _unexpected(metric: Metric, pairs: Pairs) -> str:
    if metric.needs_equal_footing and len(pairs.expected):
        return (
            "both arms have not yet carried the same load in any period. If every instance of a "
            "past window did, say --equal-footing"
        )
    return "no period has ended since the warm-up"


def _unsampled(metric: Metric, side: GroupSeries) -> str:
    """Return why the values are not usable, or what to do about a series that does not exist."""
    known = side.host_samples[np.isfinite(side.host_samples)]
    if needs_samples(metric) and len(known) and not known.any():
        return f" that has {metric.per}: its samples are 0 everywhere"
    return remedy(metric)


def remedy(metric: Metric) -> str:
    """Return what to do about a count whose series exists only after an event."""
    if metric.kind != "count" or metric.counter is not None or metric.absent == "zero":
        return ""
    return (
        f". If {metric.name} is reported only where there are some, send zeros, or say "
        "absent: zero in the policy"
    )


def stuck_reason(metric: Metric, pairs: Pairs) -> str:
    """Return which arm always reports the same value, as a stuck source does, or an empty string.

    A level may be constant, and a count may stay at zero. Latency, load and traffic always vary.
    """
    if metric.kind == "level":
        return _no_ratio(metric, pairs)
    for side, arm in pairs.sides:
        values = side.values[pairs.both]
        still = len(values) >= STUCK_PAIRS and bool((values == values[0]).all())
        if still and not (metric.kind == "count" and values[0] == 0):
            alike = all((other.values[pairs.both] == values[0]).all() for other, _ in pairs.sides)
            who = "both arms" if alike else f"the {arm}"
            return f"{who} reported exactly {values[0]:.12g} in all {len(values)} periods; " + (
                _stuck(metric, values[0], len(values) / int(pairs.expected.sum()))
            )
    return ""


def _no_ratio(metric: Metric, pairs: Pairs) -> str:
    """Return a sentence about a level that is always 0 although a ratio is asked for."""
    if metric.limit.scale == "points" or len(pairs.both) < STUCK_PAIRS:
        return ""
    for side, arm in pairs.sides:
        values = side.values[pairs.both]
        if len(values) >= STUCK_PAIRS and bool((values == 0).all()):
            return (
                f"the {arm} reported exactly 0 in all {len(values)} periods; no ratio to 0 exists. "
                "Give its margin in points"
            )
    return ""


def _stuck(metric: Metric, value: float, share: float) -> str:
    if metric.kind == "count":
        few = f"{percent(1 - share)} of the periods hold no value"
        return f"{few}{remedy(metric)}" if share < 1 else "it may be a counter that never resets"
    if value == 0:
        return (
            "no ratio to 0 exists. If 0 is usual, use kind: level with a margin in points; if not, "
            "its source may be stuck"
        )
    if metric.kind == "gauge":
        return "its source may be stuck. If it never changes, as a limit does, use kind: level"
    return "its source may be stuck"
