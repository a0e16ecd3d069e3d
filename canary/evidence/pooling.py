"""Pooling of several hosts into one value per period, for the judge and the report.

Events and throughput are added. A latency is the mean weighted by samples. A gauge or a level is
the plain mean.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from canary.policy import Metric
from canary.stats.distributions import Floats
from canary.stats.paired import Mask

ADDED = ("count", "throughput")


@dataclass(frozen=True, slots=True)
class HostRows:
    """One metric of one group as measured: arrays ``[hosts, periods]``, NaN where missing.

    A group without a series of the metric has one row of NaN and no host. The hosts of one period
    are adjacent in memory, so that a stretch of periods needs no copy.
    """

    hosts: tuple[str, ...]
    values: Floats
    samples: Floats
    spread: Floats

    def at(self, columns: slice | np.ndarray[tuple[int], np.dtype[np.intp]]) -> HostRows:
        """Return some of the periods."""
        chosen = columns if isinstance(columns, slice) else stretch(columns)
        parts = (part[:, chosen] for part in (self.values, self.samples, self.spread))
        return HostRows(self.hosts, *map(np.asfortranarray, parts))

    def hidden(self, mask: Mask) -> HostRows:
        """Return the rows with some values missing."""
        return replace(self, values=np.where(mask, np.nan, self.values))

    def without(self, hosts: Collection[str]) -> HostRows:
        """Return the rows of the other hosts."""
        kept = [row for row, host in enumerate(self.hosts) if host not in hosts]
        parts = (part[kept] for part in (self.values, self.samples, self.spread))
        return HostRows(tuple(self.hosts[row] for row in kept), *parts)


def stretch(
    columns: np.ndarray[tuple[int], np.dtype[np.intp]],
) -> slice | np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Return columns that follow one another as a slice, which needs no copy; others as they are.

    >>> stretch(np.array([3, 4, 5]))
    slice(3, 6, None)
    """
    if not len(columns):
        return columns
    first, last = int(columns[0]), int(columns[-1])
    whole = last - first + 1 == len(columns) and bool((np.diff(columns) == 1).all())
    return slice(first, last + 1) if whole else columns


@dataclass(frozen=True, slots=True)
class GroupSeries:
    """One metric of one group of hosts over some periods; NaN where missing.

    Attributes:
        values, samples, spread: one value per period, of all hosts together.
        host_values, host_samples: ``[hosts, periods]``, only usable values.
    """

    hosts: tuple[str, ...]
    values: Floats
    samples: Floats
    spread: Floats
    host_values: Floats
    host_samples: Floats

    def at(self, columns: np.ndarray[tuple[int], np.dtype[np.intp]]) -> GroupSeries:
        """Return some of the periods."""
        chosen = stretch(columns)
        series = (part[chosen] for part in (self.values, self.samples, self.spread))
        hosts = (part[:, chosen] for part in (self.host_values, self.host_samples))
        return GroupSeries(self.hosts, *series, *map(np.asfortranarray, hosts))


def pooled(metric: Metric, rows: HostRows) -> GroupSeries:
    """Pool the hosts of one group."""
    samples = np.where(rows.samples >= 0, rows.samples, np.nan)
    values = np.where(possible(metric, rows.values), rows.values, np.nan)
    sampled = bool(np.isfinite(samples).any())
    if needs_samples(metric) and sampled:
        values = np.where(samples > 0, values, np.nan)
    return GroupSeries(
        hosts=rows.hosts,
        values=_together(metric, values, samples, sampled=sampled),
        samples=_total(np.where(np.isfinite(values), samples, np.nan)),
        spread=_mean(rows.spread),
        host_values=values,
        host_samples=samples,
    )


def needs_samples(metric: Metric) -> bool:
    """Return whether a value needs samples to be usable."""
    return metric.kind in ("latency", "quantile") or is_rate(metric)


def is_rate(metric: Metric) -> bool:
    """Return whether the metric is a share of requests."""
    return metric.kind == "count" and metric.per != "time"


def possible(metric: Metric, values: Floats) -> Mask:
    """Return which values are possible. A negative or infinite one is treated as missing."""
    fine: Mask = np.isfinite(values)
    return fine if metric.kind == "level" else fine & (values >= 0)


def _together(metric: Metric, values: Floats, samples: Floats, *, sampled: bool) -> Floats:
    if metric.kind in ADDED:
        return _total(values)
    if metric.kind in ("gauge", "level") or not sampled:
        return _mean(values)
    weight = np.where(np.isfinite(values) & np.isfinite(samples), samples, 0.0)
    total = weight.sum(axis=-2)
    weighted = (np.where(weight > 0, values, 0.0) * weight).sum(axis=-2)
    return np.where(total > 0, weighted / np.where(total > 0, total, 1.0), np.nan)


def _total(values: Floats) -> Floats:
    mask = np.isfinite(values)
    return np.where(mask.any(axis=-2), np.where(mask, values, 0.0).sum(axis=-2), np.nan)


def _mean(values: Floats) -> Floats:
    mask = np.isfinite(values)
    count = mask.sum(axis=-2)
    total = np.where(mask, values, 0.0).sum(axis=-2)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
