"""Counts whose series exist only after the first event: no value means zero (``absent: zero``)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from canary.evidence.pooling import HostRows, is_rate
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats
from canary.stats.paired import Mask

Rows = Mapping[tuple[str, str], HostRows]


def with_zeros(
    policy: Policy, rows: Rows, reported: Mapping[str, tuple[tuple[str, ...], Mask]]
) -> dict[tuple[str, str], HostRows]:
    """Return the rows with zeros where a host reported other metrics, but not this one.

    ``reported`` holds the hosts of each group, and the periods in which each reported any metric.
    A host that reports nothing stays silent: it gets no zeros.
    """
    filled = dict(rows)
    for metric in policy.metrics:
        if metric.absent == "zero":
            for group, (hosts, there) in reported.items():
                found = rows.get((metric.name, group))
                requests = _requests(metric, rows, group, hosts, there.shape)
                filled[metric.name, group] = _filled(metric, found, hosts, there, requests)
    return filled


def _filled(
    metric: Metric, found: HostRows | None, hosts: tuple[str, ...], there: Mask, requests: Floats
) -> HostRows:
    values, samples, spread = (_placed(found, part, hosts, there.shape) for part in range(3))
    zero = np.isnan(values) & (there | np.isfinite(samples))
    values = np.where(zero, 0.0, values)
    if is_rate(metric):
        samples = np.where(np.isnan(samples) & zero, requests, samples)
    for array in (values, samples, spread):
        array.setflags(write=False)
    return HostRows(hosts, values, samples, spread)


def _placed(
    found: HostRows | None, part: int, hosts: tuple[str, ...], shape: tuple[int, ...]
) -> Floats:
    """Return one part of a metric's rows in the order of ``hosts``; NaN for a host without rows."""
    placed = np.full(shape, np.nan)
    if found is not None:
        source = (found.values, found.samples, found.spread)[part]
        for row, host in enumerate(found.hosts):
            placed[hosts.index(host)] = source[row]
    return placed


def _requests(
    metric: Metric, rows: Rows, group: str, hosts: tuple[str, ...], shape: tuple[int, ...]
) -> Floats:
    """Return the requests of each host: the metric of that name, or the samples of another one."""
    requests = np.full(shape, np.nan)
    named = [(found, 0) for (name, of), found in rows.items() if (name, of) == (metric.per, group)]
    others = [(found, 1) for (name, of), found in rows.items() if of == group]
    for found, part in named + others:
        known = _placed(found, part, hosts, shape)
        requests = np.where(np.isnan(requests), known, requests)
    return requests
