"""Values in another unit, and improvements that are too large to be real."""

from __future__ import annotations

import numpy as np

from canary.evidence.pairs import Pairs
from canary.evidence.pooling import GroupSeries
from canary.formatting import listed, number
from canary.policy import Metric
from canary.stats.distributions import Floats
from canary.stats.paired import masked_median

TOO_GOOD = 10.0
"""A latency that is this many times smaller is no improvement, but another unit or no response."""
FACTORS = (60.0, 100.0, 1e3, 1024.0, 1e6, 1024.0**2, 1e9, 1024.0**3)
LIKE = 1.3
"""How far a ratio may be from a factor between units."""
STEADY = 1.5
"""How far the ratio of one period may be from that ratio: another unit does not fluctuate."""
OTHER_HOST = 100.0
KINDS = ("latency", "quantile", "gauge", "level")


def too_good(metric: Metric, pairs: Pairs) -> str:
    """Return why a much better candidate cannot be believed, or an empty string."""
    if metric.kind not in KINDS or metric.harmful == "decrease":
        return ""
    if not _far(pairs.baseline, pairs.candidate, TOO_GOOD):
        return ""
    usual, hosts = _usual(pairs.baseline), _hosts(pairs.candidate)
    times = usual / np.where(hosts > 0, hosts, np.nan)
    doubted = [
        (host, float(ratio))
        for host, ratio in zip(pairs.candidate.hosts, times, strict=False)
        if ratio >= TOO_GOOD and (metric.kind in ("latency", "quantile") or _unit_like(pairs))
    ]
    if not doubted:
        return ""
    names = listed([host for host, _ in doubted])
    if metric.kind in ("gauge", "level"):
        example = "(a share of 1 for per cent, or MB for bytes)"
    else:
        example = "(seconds for milliseconds) or of requests that are not really answered"
    return (
        f"the values of the candidate's {names} are about {number(doubted[0][1])} times smaller "
        f"than the baseline's, as in another unit {example}"
    )


def larger_unit(metric: Metric, pairs: Pairs) -> str:
    """Return a note if the candidate's values are larger by a factor between units."""
    if metric.kind not in KINDS or not _unit_like(pairs):
        return ""
    times = _ratio(pairs)
    middle = float(np.median(times)) if len(times) else 0.0
    if middle < TOO_GOOD:
        return ""
    return (
        f"{metric.name}: the candidate's values are about {number(middle)} times the baseline's. "
        "If its new release only reports another unit (milliseconds for seconds), correct that "
        "first"
    )


def other_hosts(metric: Metric, pairs: Pairs) -> str:
    """Return a sentence if some baseline hosts measure in another unit, or an empty string."""
    if metric.kind not in KINDS or not _far(pairs.baseline, pairs.baseline, OTHER_HOST):
        return ""
    values = _hosts(pairs.baseline)
    known = values[np.isfinite(values) & (values > 0)]
    if len(known) < 2 or known.max() < OTHER_HOST * known.min():
        return ""
    high = pairs.baseline.hosts[int(np.nanargmax(values))]
    low = pairs.baseline.hosts[int(np.nanargmin(np.where(values > 0, values, np.nan)))]
    return (
        f"the baseline's {high} reports {number(float(known.max()))} and its {low} "
        f"{number(float(known.min()))}, as if in different units"
    )


def zeros(metric: Metric, pairs: Pairs) -> str:
    """Return a sentence if latencies of the candidate are zero, or an empty string."""
    if metric.kind not in ("latency", "quantile"):
        return ""
    count = int((pairs.candidate.values[pairs.expected] == 0).sum())
    if not count:
        return ""
    return f"the candidate reported a {metric.name} of 0 in {count} periods, which no request takes"


def _far(high: GroupSeries, low: GroupSeries, times: float) -> bool:
    """Return whether any value of one arm is this many times a value of the other."""
    most = np.fmax.reduce(high.host_values, axis=None, initial=0.0)
    least = np.fmin.reduce(low.host_values, axis=None, initial=np.inf)
    return bool(most >= times * max(float(least), 0.0))


def _hosts(side: GroupSeries) -> Floats:
    """Return each host's usual value."""
    known = np.isfinite(side.host_values)
    if not known.size:
        return np.full(len(known), np.nan)
    return np.where(known.any(axis=1), masked_median(side.host_values, known), np.nan)


def _usual(side: GroupSeries) -> float:
    known = _hosts(side)
    known = known[np.isfinite(known)]
    return float(np.median(known)) if len(known) else float("nan")


def _ratio(pairs: Pairs) -> Floats:
    good = pairs.both & (pairs.baseline.values > 0) & (pairs.candidate.values > 0)
    ratio: Floats = pairs.candidate.values[good] / pairs.baseline.values[good]
    return ratio


def _unit_like(pairs: Pairs) -> bool:
    """Return whether one arm's values are the other's times a factor between units."""
    ratio = _ratio(pairs)
    if not len(ratio):
        return False
    middle = float(np.median(ratio))
    size = max(middle, 1 / middle)
    like = any(factor / LIKE <= size <= factor * LIKE for factor in FACTORS)
    low, high = np.quantile(ratio / middle, [0.1, 0.9])
    return like and bool(low >= 1 / STEADY and high <= STEADY)
