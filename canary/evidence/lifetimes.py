"""The lifetimes of hosts that come, go, are replaced, stay idle or report nothing.

Autoscaling changes an arm in the middle of a run. A host counts from its first report to its last.
A host that came later is a fresh process, so its latencies and loads count only after a few
periods. While the arms do not carry the same load per host, loads cannot be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from canary.evidence.table import Columns, Group
from canary.stats.distributions import Floats
from canary.stats.paired import Mask

LATE = 3
"""Periods by which a first report may be late without the host being new."""
GONE = 3
"""Periods without a report after which a host has left."""
WARMING = 10
"""Periods for which a host that came later is a fresh process."""
IDLE = 0.1
"""A host with less than this share of the requests of its arm's median host is idle."""
EVEN = 0.1
"""How far the loads per host of both arms may be apart, on the log scale."""


@dataclass(frozen=True, slots=True)
class Members:
    """The hosts of a group over some periods: arrays ``[hosts, periods]``.

    Attributes:
        first, last: each host's first and last report, as an index of the periods; -1 for none.
        there: from a host's first report on, and up to the last one of a host that has left. A gap
            is missing data.
        joined, left: hosts that came later than the group, and hosts that have gone.
        idle: hosts that have almost no requests, although others do.
    """

    hosts: tuple[str, ...]
    first: Columns
    last: Columns
    there: Mask
    joined: Mask
    left: Mask
    idle: Mask

    @property
    def warming(self) -> Mask:
        """The first periods of hosts that came later."""
        age = np.arange(self.there.shape[1])[None, :] - self.first[:, None]
        young: Mask = self.joined[:, None] & (age >= 0) & (age < WARMING)
        return young

    @property
    def unheard(self) -> Mask:
        """The periods in which a host may have had traffic without a report.

        For a host that was there from the start, these are the periods before its first report. For
        a host that seems gone, they are the first periods after its last report. A host without any
        report gets as much time as a late one.
        """
        at = np.arange(self.there.shape[1])[None, :]
        since = np.where(self.first < 0, LATE + 1, self.first)[:, None]
        last = self.last[:, None]
        late = ~self.joined[:, None] & (at < since)
        silent: Mask = self.left[:, None] & (at > last) & (at <= last + WARMING)
        return late | silent

    def of(self, mask: Mask, hosts: tuple[str, ...]) -> Mask:
        """Return rows of ``mask`` for ``hosts``; False for hosts that are not of the group."""
        if hosts == self.hosts:
            return mask
        row_of = {host: row for row, host in enumerate(self.hosts)}
        none = np.zeros(self.there.shape[1], dtype=bool)
        rows = [mask[row_of[host]] if host in row_of else none for host in hosts]
        return np.array(rows, dtype=bool).reshape(len(hosts), self.there.shape[1])


def members_of(group: Group, columns: Columns) -> Members:
    """Return the hosts of a group over some periods."""
    reported = group.reported[:, columns]
    count = reported.shape[1]
    ever: Mask = np.any(reported, axis=1)
    first = np.where(ever, reported.argmax(axis=1), -1) if count else np.full(len(ever), -1)
    last = np.where(ever, count - 1 - reported[:, ::-1].argmax(axis=1), -1) if count else first
    at = np.arange(count)[None, :]
    begin = int(first[ever].min()) if ever.any() else 0
    left: Mask = ever & (last <= int(last.max(initial=-1)) - GONE)
    until = np.where(left, last, count - 1)
    there: Mask = (at >= first[:, None]) & (at <= until[:, None]) & ever[:, None]
    return Members(
        hosts=group.hosts,
        first=first,
        last=last,
        there=there,
        joined=ever & (first > begin + LATE),
        left=left,
        idle=_idle(group.requests[:, columns]),
    )


def _idle(requests: Floats) -> Mask:
    """Return the hosts with almost no requests in their periods."""
    known = np.isfinite(requests)
    usual = np.where(known, requests, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    some = known.any(axis=1)
    if some.sum() < 2:
        return np.zeros(len(usual), dtype=bool)
    idle: Mask = some & (usual < IDLE * np.median(usual[some]))
    return idle


def same_load(candidate: Members, baseline: Members, requests: tuple[Floats, Floats]) -> Mask:
    """Return the periods in which each host carries as much load as at the start.

    ``requests`` are those of each arm's hosts. The load is the same while the arms keep their
    numbers of hosts or the ratio of these numbers, and otherwise wherever the requests show it.
    """
    sides = (candidate, baseline)
    counts = [(side.there & ~side.idle[:, None]).sum(axis=0) for side in sides]
    both: Mask = (counts[0] > 0) & (counts[1] > 0)
    if not both.any():
        return both
    start = int(both.argmax())
    same: Mask = counts[0] * counts[1][start] == counts[1] * counts[0][start]
    ratio = _load_ratio(sides, requests)
    for pair in {(int(g), int(b)) for g, b in zip(*counts, strict=True)}:
        alike = both & (counts[0] == pair[0]) & (counts[1] == pair[1])
        known = ratio[alike & np.isfinite(ratio)]
        if len(known) and not same[alike].all() and abs(float(np.median(known))) <= EVEN:
            same = same | alike
    even: Mask = same & both
    return even


def _load_ratio(sides: tuple[Members, Members], requests: tuple[Floats, Floats]) -> Floats:
    """Return the log ratio of the requests per host of both arms, NaN where unknown."""
    loads = []
    for side, seen in zip(sides, requests, strict=True):
        known = np.isfinite(seen) & side.there & ~side.idle[:, None]
        total = np.where(known, seen, 0.0).sum(axis=0)
        loads.append(total / np.maximum(known.sum(axis=0), 1))
    fine = (loads[0] > 0) & (loads[1] > 0)
    return np.where(fine, np.log(np.where(fine, loads[0], 1) / np.where(fine, loads[1], 1)), np.nan)
