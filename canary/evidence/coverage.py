"""Checks that the values of both arms cover the same periods, and as many as the policy expects."""

from __future__ import annotations

import numpy as np

from canary.evidence.pairs import Pairs
from canary.evidence.pooling import is_rate
from canary.evidence.table import Columns, Table
from canary.formatting import duration, minute
from canary.policy import Metric
from canary.stats.paired import Mask

FEW_VALUES = 4
SAME_VALUES = 6
"""This many periods with equal non-zero values do not occur by chance."""
MOST_LOST = 0.2
"""Share of the periods in which only one arm may have a value."""
LEAST_APART = 3
"""Values of both arms that are lost at random start or end this many periods apart only seldom."""
MOST_GAPS = 0.8
"""Share of the gaps between values that must agree to show another period."""


def other_period(table: Table, pairs: Pairs) -> str:
    """Return a sentence if the period of the values is not the policy's, or an empty string."""
    for side, arm in pairs.sides:
        at = np.flatnonzero(np.isfinite(side.values) & pairs.expected)
        gaps = np.diff(at)
        if len(at) < FEW_VALUES:
            continue
        usual = int(np.median(gaps))
        if usual > 1 and (gaps == usual).mean() >= MOST_GAPS:
            seconds = usual * table.recording.period
            return (
                f"a value of the {arm} arrives every {duration(seconds)}, but the policy's period "
                f"is {duration(table.recording.period)}; set period: {seconds}s"
            )
    return ""


def apart(table: Table, pairs: Pairs, columns: Columns) -> str:
    """Return a sentence if the arms never have values at the same time, or an empty string."""
    candidate, baseline = _there(pairs)
    if not candidate.any() or not baseline.any() or (candidate & baseline).any():
        return ""
    times, period = table.times[columns], table.recording.period

    def stretch(there: Mask) -> str:
        return f"{minute(int(times[there][0]))} to {minute(int(times[there][-1]) + period)}"

    return (
        f"the candidate has values from {stretch(candidate)} and the baseline from "
        f"{stretch(baseline)} (UTC), never in the same period"
    )


def partly(table: Table, pairs: Pairs) -> str:
    """Return a sentence if one arm starts or ends much earlier, or an empty string."""
    candidate, baseline = _there(pairs)
    if not (candidate & baseline).any():
        return ""
    lost = int((candidate ^ baseline).sum())
    first, last = (np.flatnonzero(candidate)[[0, -1]] - np.flatnonzero(baseline)[[0, -1]]).tolist()
    apart = max(abs(first), abs(last))
    if lost <= MOST_LOST * len(candidate) or apart < max(lost / 4, LEAST_APART):
        return ""
    period, said = table.recording.period, []
    for periods, verb in ((first, "start"), (last, "end")):
        if periods:
            when = "later" if periods > 0 else "earlier"
            said.append(f"{verb} {duration(abs(periods) * period)} {when}")
    return f"the candidate's values {' and '.join(said)} than the baseline's; check the time zones"


def mirrored(metric: Metric, pairs: Pairs) -> str:
    """Return a sentence if both arms have the values of the same hosts, or an empty string."""
    g, b = (side.values[pairs.both] for side, _ in pairs.sides)
    if metric.kind == "level" or metric.counter is not None or not np.array_equal(g, b):
        return ""
    if (g > 0).sum() < SAME_VALUES or (g == g[0]).all():
        return ""
    n_g, n_b = (side.samples[pairs.both] for side, _ in pairs.sides)
    if is_rate(metric) and not np.array_equal(n_g, n_b):
        return ""
    return (
        f"both arms reported exactly the same values in all {len(g)} periods, as if the same hosts "
        "were read twice; see that the query of each arm selects hosts of its own"
    )


def _there(pairs: Pairs) -> tuple[Mask, Mask]:
    sides = (pairs.candidate, pairs.baseline)
    candidate, baseline = (np.isfinite(side.values) & pairs.expected for side in sides)
    return candidate, baseline
