"""Oddities of single hosts' data: duplicate series, impossible values, silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from canary.evidence.pooling import HostRows, possible
from canary.evidence.table import Table
from canary.policy import Metric, Policy
from canary.stats.paired import Mask


@dataclass(frozen=True, slots=True)
class Oddity:
    """An oddity of one host's data, and how often it occurs.

    ``duplicate``: further series of the same metric; ``impossible``: values that are negative or
    infinite; ``off grid``: values between two periods; ``silent``: periods of a host that sent no
    value of any metric at all.
    """

    kind: Literal["duplicate", "impossible", "off grid", "silent"]
    group: str
    host: str
    count: int
    metric: str = ""


def oddities_of(policy: Policy, table: Table, until: int) -> tuple[Oddity, ...]:
    """Return the oddities of the periods that had ended by ``until``."""
    columns = table.ended(until)
    between = table.times[columns] % table.recording.period != 0
    found: list[Oddity] = []
    for group in table.groups.values():
        reports: Mask = np.any(group.reported[:, columns], axis=1)
        found += [
            Oddity("silent", group.name, host, len(columns))
            for host, reported in zip(group.hosts, reports, strict=True)
            if not reported
        ]
        for metric in policy.metrics:
            if rows := table.rows.get((metric.name, group.name)):
                found += _odd_values(metric, group.name, rows.at(columns), between)
    return tuple(found)


def _odd_values(metric: Metric, group: str, rows: HostRows, between: Mask) -> Iterator[Oddity]:
    for host, count in Counter(rows.hosts).items() if _repeated(rows) else ():
        if count > 1:
            yield Oddity("duplicate", group, host, count - 1, metric.name)
    if _plain(metric, rows) and not between.any():
        return
    known = ~np.isnan(rows.values)
    wrong = (known & ~possible(metric, rows.values)).sum(axis=1)
    astray = (known & between).sum(axis=1)
    for row in np.flatnonzero(wrong).tolist():
        yield Oddity("impossible", group, rows.hosts[row], int(wrong[row]), metric.name)
    for row in np.flatnonzero(astray).tolist():
        yield Oddity("off grid", group, rows.hosts[row], int(astray[row]), metric.name)


def _repeated(rows: HostRows) -> bool:
    return len(set(rows.hosts)) < len(rows.hosts)


def _plain(metric: Metric, rows: HostRows) -> bool:
    """Return whether every value is possible; the smallest and the largest decide it."""
    if not rows.values.size:
        return True
    ends = np.array([ufunc.reduce(rows.values, axis=None) for ufunc in (np.fmin, np.fmax)])
    return bool((possible(metric, ends) | np.isnan(ends)).all())
