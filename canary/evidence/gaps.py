"""A candidate host that stops reporting one metric, or reports it seldom, while it reports others.

Its requests drop out of the metric unnoticed, and nobody knows how they went.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import bdtrc

from canary.evidence.comparable import remedy
from canary.evidence.lifetimes import GONE
from canary.evidence.pooling import HostRows, needs_samples, possible
from canary.evidence.table import Columns, Table
from canary.formatting import listed
from canary.model import Arm
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats
from canary.stats.paired import Mask

Losses = Mapping[Arm, tuple[tuple[str, ...], Mask, Mask]]
"""Of each arm: its hosts, their periods with reports, and those of them without the metric."""

BY_CHANCE = 3e-4
"""Losses of any host that random losses explain more seldom than this have another cause."""
LEAST_LOSS = 0.02
"""The share of values that is lost at random in any source."""


def silent_metric(policy: Policy, metric: Metric, table: Table, columns: Columns) -> str:
    """Return a sentence about candidate hosts that lack this metric, or an empty string."""
    complete = _usable(metric, table.host_rows(metric, Arm.CANDIDATE, columns)).all()
    if metric.counter is not None or not len(columns) or complete:
        return ""
    losses = {arm: _losses(metric, table, arm, columns) for arm in Arm}
    hosts, due, lost = losses[Arm.CANDIDATE]
    if not lost.any():
        return ""
    known, missed = due.sum(axis=1), lost.sum(axis=1)
    usual = _usual(losses)
    rare = BY_CHANCE / sum(len(found) for found, _, _ in losses.values())
    beyond = (missed > policy.missing.share * known) & (bdtrc(missed - 1, known, usual) < rare)
    run = np.array([_newest_run(row[own]) for row, own in zip(lost, due, strict=True)])
    stopped = (run >= max(policy.missing.consecutive, GONE)) & (usual**run < rare)
    found = [
        f"{hosts[row]} reported no {metric.name} in {missed[row]} of {known[row]} periods"
        for row in np.flatnonzero(beyond | stopped).tolist()
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


def _usual(losses: Losses) -> Floats:
    """Return the share of values that the hosts besides each candidate host lose."""
    lost = sum(float(one.sum()) for _, _, one in losses.values())
    known = sum(float(one.sum()) for _, one, _ in losses.values())
    _, due, own = losses[Arm.CANDIDATE]
    others = (lost - own.sum(axis=1) + 1) / (known - due.sum(axis=1) + 2)
    usual: Floats = np.clip(others, LEAST_LOSS, 1.0)
    return usual


def _newest_run(lost: Mask) -> int:
    return len(lost) if lost.all() else int(np.argmin(lost[::-1]))
