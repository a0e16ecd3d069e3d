"""Values that cannot be counts: ratios, percentages, raw counters, more events than requests."""

from __future__ import annotations

import numpy as np

from canary.evidence.pairs import Pairs
from canary.evidence.pooling import ADDED, HostRows, is_rate
from canary.evidence.table import Columns, Table
from canary.formatting import number
from canary.model import Arm
from canary.policy import Metric
from canary.stats.distributions import Floats
from canary.stats.paired import Mask, masked_median

FEW_FRACTIONS = 3
LARGEST_PERCENT = 100.0
"""A share is at most this, as a fraction or as a percentage."""
RISES, RISES_ALONE = 10, 24
"""Values that rise this often, and hardly ever fall, are those of a counter: in the events and the
requests together, or in the events alone."""
STEPS, STEPS_ALONE = 4, 12
"""Least number of steps of each host."""
RESETS = 0.1
"""Largest share of steps that may be falls, because a restart resets a counter."""
FIRST = 8
"""Number of hosts that are checked first."""
UNEVEN = 10.0
"""A counter's largest step is at most this many times its usual one; an outage grows faster."""

INCREASES = "give the increase in each period (in PromQL: increase(x[{period}]))"


def not_a_count(metric: Metric, table: Table, pairs: Pairs, columns: Columns) -> str:
    """Return why the values cannot be those of a count or a throughput, or an empty string."""
    if metric.kind not in ADDED or metric.counter is not None:
        return ""
    keys = {arm: (metric.name, arm.value) for arm in Arm}
    rows = {arm: table.rows[key].at(columns) for arm, key in keys.items() if key in table.rows}
    return (
        (_fractions(pairs) if metric.kind == "count" else "")
        or _cumulative(metric, rows)
        or (_without_requests(metric, rows) if is_rate(metric) else "")
    )


def more_than_requests(metric: Metric, pairs: Pairs) -> str:
    """Return a sentence if an arm has more failures than requests, or an empty string."""
    for side, arm in pairs.sides:
        events, chances = side.values[pairs.both].sum(), np.nansum(side.samples[pairs.both])
        if is_rate(metric) and metric.is_failure and 0 < chances < events:
            return (
                f"the {arm} has {events:,.0f} {metric.name} in {chances:,.0f} {metric.per}, but a "
                "request fails at most once; check what is counted"
            )
    return ""


def _fractions(pairs: Pairs) -> str:
    values = np.concatenate([pairs.candidate.host_values, pairs.baseline.host_values]).ravel()
    values = values[np.isfinite(values) & (values > 0)]
    broken = values[values != np.round(values)]
    if len(broken) < max(FEW_FRACTIONS, len(values) / 2) or broken.min() >= 1:
        return ""
    if values.max() > LARGEST_PERCENT:
        return ""
    return (
        f"its values are fractions, such as {number(float(broken.max()))}, as of a ratio, a "
        "percentage or a rate per second; a count is the number of events in each period"
    )


def _cumulative(metric: Metric, rows: dict[Arm, HostRows]) -> str:
    rises, alone = 0, 0
    for arm, found in rows.items():
        own, least = _rising(found.values)
        if not own:
            continue
        alone += own if least >= STEPS_ALONE else 0
        chances, _ = _rising(found.samples) if is_rate(metric) else (0, 0)
        if chances:
            rises += own + chances
        elif is_rate(metric) and np.nansum(found.values) > np.nansum(found.samples) > 0:
            return _rising_words(arm)
    sure = alone >= RISES_ALONE and len(rows) == len(Arm)
    return _rising_words(None) if rises >= RISES or sure else ""


def _rising_words(arm: Arm | None) -> str:
    whose = f"the {arm}'s values" if arm else "its values"
    return f"{whose} only ever rise, as a counter does since its process started; {INCREASES}"


def _rising(rows: Floats) -> tuple[int, int]:
    """Return the rises of all hosts' values, and of the host with the fewest.

    Both are 0 if the values of some host are not those of a counter. A host whose values never
    change does not matter. With many hosts, the first few already show it.
    """
    if len(rows) > FIRST and _steps(rows[:FIRST])[1].any():
        return 0, 0
    steps, falling = _steps(rows)
    moved = (steps != 0).any(axis=1)
    steps = steps[moved]
    up = steps > 0
    rises = up.sum(axis=1)
    if not len(rises) or (rises < STEPS).any() or falling.any():
        return 0, 0
    largest = np.where(up, steps, 0.0).max(axis=1)
    if (largest > UNEVEN * masked_median(steps, up)).any():
        return 0, 0
    return int(rises.sum()), int(rises.min())


def _steps(rows: Floats) -> tuple[Floats, Mask]:
    """Return the steps of each host's values, and which hosts fall too often for a counter."""
    steps = np.nan_to_num(np.diff(_carried(rows), axis=1))
    count = np.maximum(np.isfinite(rows).sum(axis=1) - 1, 0)
    return steps, (steps < 0).sum(axis=1) > RESETS * count


def _carried(rows: Floats) -> Floats:
    """Return the rows with the last known value in the place of a missing one."""
    places = np.where(np.isfinite(rows), np.arange(rows.shape[1]), 0)
    carried: Floats = np.take_along_axis(rows, np.maximum.accumulate(places, axis=1), axis=1)
    return carried


def _without_requests(metric: Metric, rows: dict[Arm, HostRows]) -> str:
    for arm, found in rows.items():
        if np.isfinite(found.values).any() and not (found.samples > 0).any():
            return (
                f"no {metric.per} of the {arm} are known: a count needs them as its samples (a "
                "column of the CSV file, or a query), or per: time in the policy"
            )
    return ""
