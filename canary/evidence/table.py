"""The evidence of one recording as a table: groups of hosts by periods, for every metric.

It is built once from policy and recording, and never changes. Judge, report, plan and rehearsal
read it, and do not read the series.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from canary.evidence.absence import with_zeros
from canary.evidence.periods import judged_times, last_time, step_of, times_since_start
from canary.evidence.pooling import GroupSeries, HostRows, pooled
from canary.model import Arm, Recording, Release, Series
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats
from canary.stats.paired import Mask

Columns = NDArray[np.intp]
Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Group:
    """Hosts that run one release.

    Attributes:
        hosts: the hosts of the release, and all others that reported.
        reported: ``[hosts, periods]``, whether a host reported a value of any metric. The proxy's
            counters are left out, because they come from the proxy, unless there is nothing else.
    """

    name: str
    release: Release
    hosts: tuple[str, ...]
    reported: Mask
    requests: Floats

    def reporting(self, columns: Columns) -> tuple[str, ...]:
        """Return the hosts that reported a value of any metric in some periods."""
        there: Mask = np.any(self.reported[:, columns], axis=1)
        return tuple(compress(self.hosts, there.tolist()))


@dataclass(frozen=True, slots=True)
class Table:
    """Groups of hosts by periods; ``step`` is the recording's step in force over each period.

    A period in which the weights changed belongs to no step: -1.
    """

    recording: Recording
    times: Times
    step: Columns
    groups: Mapping[str, Group]
    rows: Mapping[tuple[str, str], HostRows]
    kept: dict[tuple[str, str], GroupSeries] = field(init=False, default_factory=dict, repr=False)

    def columns(self, times: Sequence[int]) -> Columns:
        """Return the columns of the periods that start at ``times``."""
        wanted = np.asarray(times, dtype=np.int64)
        found = np.searchsorted(self.times, wanted)
        if not np.array_equal(self.times[found[found < len(self.times)]], wanted):
            raise ValueError("the table was not built up to these periods")
        return found

    def without(self, group: str, hosts: Sequence[str]) -> Table:
        """Return the table without some hosts of a group."""
        rows = {
            key: found.without(hosts) if key[1] == group else found
            for key, found in self.rows.items()
        }
        whole = self.groups[group]
        kept = [row for row, host in enumerate(whole.hosts) if host not in hosts]
        left = replace(
            whole,
            hosts=tuple(whole.hosts[row] for row in kept),
            reported=whole.reported[kept],
            requests=whole.requests[kept],
        )
        return replace(self, rows=rows, groups={**self.groups, group: left})

    @property
    def incomplete(self) -> bool:
        """Whether hosts of a release are left out."""
        groups = self.groups.values()
        return any(not set(one.release.instances) <= set(one.hosts) for one in groups)

    def ended(self, until: int) -> Columns:
        """Return the periods that had ended by ``until``."""
        return np.flatnonzero(self.times + self.recording.period <= until)

    def series(self, metric: Metric, group: str, columns: Columns | None = None) -> GroupSeries:
        """Return a metric of a group, over all periods or some.

        Each period is pooled by itself. So all looks share one pooling, provided that samples were
        known in the look's periods too.
        """
        key = metric.name, group
        if key not in self.kept:
            self.kept[key] = pooled(metric, self.host_rows(metric, group))
        whole = self.kept[key]
        if columns is None:
            return whole
        part = whole.at(columns)
        if np.isfinite(part.host_samples).any() == np.isfinite(whole.host_samples).any():
            return part
        return pooled(metric, self.host_rows(metric, group, columns))

    def host_rows(self, metric: Metric, group: str, columns: Columns | None = None) -> HostRows:
        """Return a metric of each host of a group, over all periods or some."""
        rows = self.rows.get((metric.name, group)) or _rows((), self.times)
        return rows if columns is None else rows.at(columns)


def table_of(policy: Policy, recording: Recording, until: int | None = None) -> Table:
    """Build the table of a recording, with all periods up to ``until``.

    ``until`` defaults to the end of the data.
    """
    end = last_time(recording) if until is None else until
    judged = judged_times(policy, recording, end)
    expected = [one.times for one in recording.series] + [judged]
    expected.append(times_since_start(recording, judged))
    times = np.array(sorted(set().union(*expected)), dtype=np.int64)
    by_group = _grouped(recording.series)
    rows = {
        (metric, group): _rows(series, times)
        for group, metrics in by_group.items()
        for metric, series in metrics.items()
    }
    counted = {metric.name for metric in policy.metrics if metric.counter is not None}
    if len(counted) == len(policy.metrics):
        counted = set()  # the proxy is the only source
    groups = {
        name: _group(name, release, rows, counted, times)
        for name, release in (
            (Arm.BASELINE.value, recording.baseline),
            (Arm.CANDIDATE.value, recording.candidate),
        )
    }
    reported = {name: (group.hosts, group.reported) for name, group in groups.items()}
    rows = with_zeros(policy, rows, reported)
    step = step_of(recording, times)
    for array in (times, step):
        array.setflags(write=False)
    return Table(recording, times, step, groups, rows)


def _grouped(series: Iterable[Series]) -> dict[str, dict[str, list[Series]]]:
    """Return the series by group and metric, sorted by host."""
    found: dict[str, dict[str, list[Series]]] = {}
    for one in series:
        found.setdefault(one.arm.value, {}).setdefault(one.metric, []).append(one)
    for metrics in found.values():
        for listed in metrics.values():
            listed.sort(key=lambda one: one.instance)
    return found


def _rows(series: Sequence[Series], times: Times) -> HostRows:
    parts = np.full((3, max(len(series), 1), len(times)), np.nan)
    alike: dict[tuple[int, ...], list[int]] = {}
    for row, one in enumerate(series):
        alike.setdefault(one.times, []).append(row)
    for shared, rows in alike.items():
        columns = np.searchsorted(times, np.array(shared, dtype=np.int64))
        for part, name in zip(parts, ("values", "samples", "spread"), strict=True):
            if there := [row for row in rows if getattr(series[row], name)]:
                found = [getattr(series[row], name) for row in there]
                part[np.array(there)[:, None], columns] = np.array(found, float)  # None: NaN
    turned = [np.asfortranarray(part) for part in parts]
    for array in turned:
        array.setflags(write=False)
    return HostRows(tuple(one.instance for one in series), *turned)


def _group(
    name: str,
    release: Release,
    rows: Mapping[tuple[str, str], HostRows],
    counted: set[str],
    times: Times,
) -> Group:
    own = [
        found for (metric, group), found in rows.items() if group == name and metric not in counted
    ]
    hosts = tuple(sorted({*release.instances, *(host for found in own for host in found.hosts)}))
    row_of = {host: row for row, host in enumerate(hosts)}
    reported = np.zeros((len(hosts), len(times)), dtype=bool)
    requests = np.full((len(hosts), len(times)), np.nan)
    for found in own:
        there = np.isfinite(found.values)
        for row, host in enumerate(found.hosts):
            at = row_of[host]
            reported[at] |= there[row]
            requests[at] = np.fmax(requests[at], found.samples[row])
    for array in (reported, requests):
        array.setflags(write=False)
    return Group(name, release, hosts, reported, requests)
