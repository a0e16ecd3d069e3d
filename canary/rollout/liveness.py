"""Instances that serve traffic but report no metrics, and metrics that no instance reports now."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from canary.evidence.pooling import HostRows, needs_samples
from canary.evidence.table import Table, table_of
from canary.formatting import plural
from canary.model import Arm
from canary.policy import Metric, Policy
from canary.rollout.progress import Progress
from canary.stats.paired import Mask

BUSY = 10
"""An instance that served this many requests in a period has metrics of that period. The proxy
counts until ``settle`` seconds after the period, so a smaller number may belong to the next one."""
TOLERATED = 2
"""An instance may be silent for fewer periods than this: an agent that restarts misses one."""
CERTAIN = 10
"""Where this many samples are expected, chance does not explain that there is none."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Sentences about candidate instances that serve traffic but report no metrics, or nothing.

    Attributes:
        newest: about instances that reported nothing in the last period.
        lasting: about those that reported nothing for longer, and about critical metrics that
            nobody reports any more.
        hosts: that served anybody in the last period, and reported nothing.
        metrics: critical ones that nobody reported in the last period, and all did before.
    """

    newest: str = ""
    lasting: str = ""
    hosts: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()


def silence(policy: Policy, progress: Progress, look: int) -> Silence:
    """Return the silent instances. An instance without requests may have nothing to report.

    A period that the proxy did not count is ignored.
    """
    table = table_of(policy, progress.recording(), look)
    periods = min(policy.missing.consecutive, TOLERATED)
    newest = " and ".join(_silent(progress, table, look, periods=1, least=BUSY))
    lasting = " and ".join(_silent(progress, table, look, periods, least=1))
    return Silence(
        f"{newest} of the candidate reported no metrics in the last period" if newest else "",
        f"{lasting} of the candidate served requests for {plural(periods, 'period')} but reported "
        "no metrics. Is its agent running, and is settle long enough?"
        if lasting
        else _gone(policy, progress, table, look),
        hosts=_silent(progress, table, look, periods=1, least=1),
        metrics=_stopped(policy, progress, table, look),
    )


def _silent(
    progress: Progress, table: Table, look: int, periods: int, least: int
) -> tuple[str, ...]:
    """Return the silent instances that served enough requests in each of the newest periods."""
    newest = _newest(progress, look, periods)
    group = table.groups[Arm.CANDIDATE]
    reports: Mask = np.any(group.reported[:, np.isin(table.times, newest)], axis=1)
    served = progress.counted.served
    return tuple(
        host
        for host, reported in zip(group.hosts, reports, strict=True)
        if not reported and all(served.get(host, {}).get(time, 0) >= least for time in newest)
    )


def _newest(progress: Progress, look: int, periods: int) -> list[int]:
    """Return the starts of the newest periods."""
    return [look - number * progress.period for number in range(1, periods + 1)]


def _gone(policy: Policy, progress: Progress, table: Table, look: int) -> str:
    """Return a sentence about a critical metric that is no longer reported, while others are."""
    newest = _newest(progress, look, policy.missing.consecutive)
    known: Mask = np.isin(table.times, newest)
    if int(known.sum()) < len(newest) or newest[-1] < progress.steps[0].start:
        return ""
    there = {arm: bool(_any(table.groups[arm].reported[:, known]).all()) for arm in Arm}
    requests = {arm: _requests(progress, arm, newest) for arm in Arm}
    for metric in _critical(policy):
        rows = {arm: table.host_rows(metric, arm, np.flatnonzero(known)) for arm in Arm}
        has = {arm: _any(np.isfinite(rows[arm].values)) for arm in Arm}
        if has[Arm.CANDIDATE].any() or not there[Arm.CANDIDATE]:
            continue
        since = f"{metric.name} for {plural(len(newest), 'period')}"
        if has[Arm.BASELINE].all() and _expected(metric, rows[Arm.BASELINE], requests) >= CERTAIN:
            return f"The candidate's instances reported no {since}, and the baseline's did"
        steady = metric.name in progress.steady and there[Arm.BASELINE]
        if steady and not has[Arm.BASELINE].any() and min(requests[Arm.BASELINE]) >= BUSY:
            return f"No instance reported any {since}, though all reported it before"
    return ""


def _critical(policy: Policy) -> list[Metric]:
    """Return the critical metrics that instances report."""
    return [m for m in policy.metrics if m.critical and not m.muted and m.counter is None]


def _stopped(policy: Policy, progress: Progress, table: Table, look: int) -> tuple[Metric, ...]:
    """Return the steady metrics of which no instance had a value in the newest period."""
    newest = _newest(progress, look, 1)
    at = np.flatnonzero(np.isin(table.times, newest))
    there = len(at) and all(table.groups[arm].reported[:, at].any() for arm in Arm)
    if not there or min(_requests(progress, Arm.BASELINE, newest)) < BUSY:
        return ()
    return tuple(
        metric
        for metric in _critical(policy)
        if metric.name in progress.steady
        and not any(np.isfinite(table.host_rows(metric, arm, at).values).any() for arm in Arm)
    )


def _any(values: Mask) -> Mask:
    """Return the periods in which at least one host has something."""
    found: Mask = np.any(values, axis=0)
    return found


def _requests(progress: Progress, arm: Arm, times: Sequence[int]) -> list[int]:
    """Return the requests that the proxy sent to an arm in some periods."""
    hosts = [host for of, host in progress.pairing.servers.values() if of is arm]
    served = progress.counted.served
    return [sum(served.get(host, {}).get(time, 0) for host in hosts) for time in times]


def _expected(metric: Metric, baseline: HostRows, requests: Mapping[Arm, Sequence[int]]) -> float:
    """Return how many samples the candidate should have at the baseline's rate per request."""
    if not needs_samples(metric):
        return math.inf
    samples = float(np.nansum(baseline.samples))
    return samples * sum(requests[Arm.CANDIDATE]) / max(sum(requests[Arm.BASELINE]), 1)
