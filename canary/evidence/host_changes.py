"""Sentences about single hosts that came, went, were replaced, are idle, or report nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from canary.evidence.lifetimes import WARMING, Members, members_of
from canary.evidence.pairs import Pairs
from canary.evidence.table import Columns, Table, Times
from canary.formatting import listed, minute, percent
from canary.model import Arm
from canary.policy import Policy
from canary.stats.distributions import Floats

MOST = 12
"""Number of hosts that get their own sentence."""
REPLACED = 5
"""Periods between a host that leaves and one that comes in its place."""


def silent_hosts(policy: Policy, table: Table, columns: Columns) -> list[str]:
    """Return a sentence for each candidate instance that serves traffic but reports no metrics.

    An instance that reports any metric is live: a metric that it does not report may have had no
    events. The proxy's own counters do not show whether an instance reports. One that came later
    counts from its first report on.
    """
    reported = table.groups[Arm.CANDIDATE].reported[:, columns]
    columns = columns[reported.any(axis=0)]  # otherwise the whole arm is silent
    if len(columns) < policy.missing.consecutive:
        return []
    group = table.groups[Arm.CANDIDATE]
    members, reported = members_of(group, columns), group.reported[:, columns]
    lately = np.any(reported[:, -policy.missing.consecutive :], axis=1)
    found = []
    for row, host in enumerate(group.hosts):
        begin = int(members.first[row]) if members.joined[row] else 0
        known = len(columns) - begin
        lost = known - int(reported[row, begin:].sum())
        if lost > policy.missing.share * known or not lately[row]:
            found.append(f"the candidate's {host} reported no metrics in {lost} of {known} periods")
    return found


def new_hosts(table: Table, columns: Columns) -> list[str]:
    """Return a sentence for each candidate instance that is too new for a PASS."""
    members = members_of(table.groups[Arm.CANDIDATE], columns)
    age = len(columns) - members.first
    return [
        f"the candidate's {host} came only {age[row]} periods ago; PASS needs {WARMING} of them"
        for row, host in enumerate(members.hosts)
        if members.joined[row] and not members.left[row] and age[row] < WARMING
    ]


def host_notes(table: Table, columns: Columns, pairs: Mapping[str, Pairs]) -> list[str]:
    """Return a sentence for each host that came, went or was idle, and its consequence."""
    found = []
    for arm in Arm:
        members = members_of(table.groups[arm], columns)
        times = table.times[columns]
        found += _changes(arm, members, times)
        requests = table.groups[arm].requests[:, columns]
        found += _idle(arm, members, np.where(np.isfinite(requests), requests, 0.0).sum(axis=1))
    if len(found) > MOST:
        found[MOST:] = [f"{len(found) - MOST} more hosts came, went or are idle"]
    return found + _uneven(pairs)


def _changes(arm: Arm, members: Members, times: Times) -> list[str]:
    came, went = np.flatnonzero(members.joined), list(np.flatnonzero(members.left))
    found = []
    for row in came:
        first = int(members.first[row])
        before = [other for other in went if abs(int(members.last[other]) + 1 - first) <= REPLACED]
        since = f"the {arm}'s {members.hosts[row]} came later, at {minute(int(times[first]))} (UTC)"
        if before:
            went.remove(before[0])
            since += f", in place of {members.hosts[before[0]]}"
        found.append(f"{since}; as a fresh process it is compared {WARMING} periods later")
    for row in went:
        last = minute(int(times[members.last[row]]))
        found.append(f"the {arm}'s {members.hosts[row]} went: its last report is of {last} (UTC)")
    if arm is Arm.BASELINE and len(times):
        found += [
            f"the baseline's {host} reported no metrics"
            for host, first in zip(members.hosts, members.first, strict=True)
            if first < 0
        ]
    return found


def _idle(arm: Arm, members: Members, requests: Floats) -> list[str]:
    usual = float(np.median(requests)) if requests.size else 0.0
    return [
        f"the {arm}'s {host} is idle, with {percent(float(requests[row]) / usual)} of the requests "
        "of a usual host; its load is not compared"
        for row, host in enumerate(members.hosts)
        if members.idle[row] and usual > 0
    ]


def _uneven(pairs: Mapping[str, Pairs]) -> list[str]:
    """Say which metrics lack periods because the numbers of hosts changed."""
    names = [name for name, one in pairs.items() if one.uneven]
    if not names:
        return []
    count = max(pairs[name].uneven for name in names)
    return [
        f"the numbers of hosts changed, so in {count} periods their loads differ; "
        f"{listed(names)} {'is' if len(names) == 1 else 'are'} not compared there"
    ]
