"""A candidate host that stops reporting one metric, or reports it seldom, while it reports others.

Its requests drop out of the metric unnoticed, and nobody knows how they went.
"""

from __future__ import annotations

import math

import numpy as np

from canary.evidence.comparable import remedy
from canary.evidence.lifetimes import GONE
from canary.evidence.pooling import HostRows, needs_samples, possible
from canary.evidence.table import Columns, Table
from canary.formatting import listed
from canary.model import Arm
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats
from canary.stats.paired import Mask

BY_CHANCE = 3e-4
"""A newest gap that random gaps explain more seldom than this has another cause."""
LEAST_LOSS = 0.02
"""The share of values that is lost at random in any source."""
AS_OTHERS = 2.0
"""A host loses more values than its arms' usual host if it loses this many times as many."""


def silent_metric(policy: Policy, metric: Metric, table: Table, columns: Columns) -> str:
    """Return a sentence about candidate hosts that lack this metric, or an empty string."""
    if metric.counter is not None or not len(columns):
        return ""
    losses = {arm: _losses(metric, table, arm, columns) for arm in Arm}
    hosts, due, lost = losses[Arm.CANDIDATE]
    if not lost.any():
        return ""
    shares = np.concatenate([_shares(*found[1:]) for found in losses.values()])
    usual = max(float(np.nanmedian(shares)), LEAST_LOSS)
    apart = max(policy.missing.share, AS_OTHERS * usual)
    found = [
        f"{host} reported no {metric.name} in {missed} of {known} periods"
        for host, there, gone in zip(hosts, due, lost, strict=True)
        for known, missed in ((int(there.sum()), int(gone.sum())),)
        if missed > apart * known or _stopped(gone[there], usual, policy.missing.consecutive)
    ]
    if not found:
        return ""
    return f"the candidate's {listed(found)}, but other metrics{remedy(metric)}"


def _losses(
    metric: Metric, table: Table, arm: str, columns: Columns
) -> tuple[tuple[str, ...], Mask, Mask]:
    """Return the hosts that ever report the metric, their periods with reports, and those without.

    A period in which a host had no request needs no latency.
    """
    group, rows = table.groups[arm], table.host_rows(metric, arm, columns)
    usable = _usable(metric, rows)
    kept = np.flatnonzero(usable.any(axis=1)).tolist() if rows.hosts else []
    row_of = {host: row for row, host in enumerate(group.hosts)}
    hosts = tuple(rows.hosts[row] for row in kept)
    own = np.array([row_of[host] for host in hosts], dtype=np.intp)
    at = np.ix_(own, columns)
    due: Mask = group.reported[at] & (group.requests[at] != 0)
    lost: Mask = due & ~usable[kept]
    return hosts, due, lost


def _usable(metric: Metric, rows: HostRows) -> Mask:
    usable = possible(metric, rows.values)
    if needs_samples(metric) and np.isfinite(rows.samples).any():
        usable &= rows.samples > 0
    return usable


def _shares(due: Mask, lost: Mask) -> Floats:
    shares: Floats = lost.sum(axis=1) / np.maximum(due.sum(axis=1), 1)
    return shares


def _stopped(lost: Mask, usual: float, least: int) -> bool:
    """Return whether the newest values are missing, and random gaps do not explain it."""
    newest = int(np.argmin(lost[::-1])) if not lost.all() else len(lost)
    run = max(least, GONE, math.ceil(math.log(BY_CHANCE) / math.log(usual)) if usual < 1 else 0)
    return newest >= run
