"""Pairs of periods of candidate and baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np

from canary.evidence.arms import series_of
from canary.evidence.lifetimes import Members, members_of, same_load
from canary.evidence.pooling import GroupSeries
from canary.evidence.table import Columns, Table
from canary.model import Arm, Recording, Step
from canary.policy import Metric
from canary.stats.distributions import Floats
from canary.stats.paired import Mask


@dataclass(frozen=True, slots=True)
class Pairs:
    """Both arms of one metric over the judged periods.

    Attributes:
        expected: periods that should hold a pair.
        sent: the candidate's share of both arms' traffic: the counted one, or else the intended
        one.
        absent: candidate hosts that report other metrics, but no usable value of this one.
        fault, doubt, remark: why the metric cannot be compared, why it cannot PASS, and a remark
        for an undecided one; empty if nothing is suspicious.
        typical: for a tail, the policy's typical latency and its pairs.
        excess: the arm that has more failures than requests.
        uneven: periods without a pair because the hosts of the arms carried different loads.
    """

    candidate: GroupSeries
    baseline: GroupSeries
    expected: Mask
    sent: Floats
    absent: tuple[str, ...] = ()
    fault: str = ""
    doubt: str = ""
    remark: str = ""
    excess: str = ""
    uneven: int = 0
    typical: tuple[Metric, Pairs] | None = None

    @property
    def sides(self) -> tuple[tuple[GroupSeries, Arm], ...]:
        """Both arms with their names, the candidate first."""
        return (self.candidate, Arm.CANDIDATE), (self.baseline, Arm.BASELINE)

    @property
    def both(self) -> Mask:
        """Periods in which both arms have a value."""
        fine: Mask = (
            np.isfinite(self.candidate.values) & np.isfinite(self.baseline.values) & self.expected
        )
        return fine


def pairs_of(metric: Metric, table: Table, times: Sequence[int]) -> Pairs:
    """Compare ``metric`` over ``times``; periods in which a weight changed hold no pair."""
    return pairs_by_name((metric,), table, times)[metric.name]


def pairs_by_name(
    metrics: Iterable[Metric], table: Table, times: Sequence[int]
) -> dict[str, Pairs]:
    """Compare several metrics over ``times``, all on the same hosts."""
    columns = table.columns(times)
    members = {arm: members_of(table.groups[arm], columns) for arm in Arm}
    return {metric.name: _pairs(metric, table, columns, members) for metric in metrics}


def _pairs(metric: Metric, table: Table, columns: Columns, members: Mapping[Arm, Members]) -> Pairs:
    step, steps = table.step[columns], table.recording.steps
    in_step = step >= 0
    equal = np.array([one.equal_footing for one in steps] + [False])
    shares = np.array([_sent_share(table.recording, at) for at in range(len(steps))] + [np.nan])
    expected = in_step & (equal[step] | (not metric.needs_equal_footing))
    even = _even(metric, table, columns, members)
    series = {arm: series_of(metric, table, arm, columns, members[arm]) for arm in Arm}
    candidate = series[Arm.CANDIDATE]
    reporting = table.groups[Arm.CANDIDATE].reporting(columns[expected & even])
    if metric.needs_equal_footing:
        reporting = _busy(reporting, members[Arm.CANDIDATE])
    return Pairs(
        candidate=candidate,
        baseline=series[Arm.BASELINE],
        expected=expected & even,
        sent=np.where(in_step, shares[step], np.nan),
        absent=() if metric.counter else _absent(candidate, reporting, expected & even),
        uneven=int((expected & ~even).sum()),
    )


def _even(metric: Metric, table: Table, columns: Columns, members: Mapping[Arm, Members]) -> Mask:
    """Return the periods with equal load on the hosts of both arms; all if load does not matter."""
    if not metric.needs_equal_footing:
        return np.ones(len(columns), dtype=bool)
    candidate, baseline = (
        table.groups[arm].requests[:, columns] for arm in (Arm.CANDIDATE, Arm.BASELINE)
    )
    return same_load(members[Arm.CANDIDATE], members[Arm.BASELINE], (candidate, baseline))


def _busy(hosts: Sequence[str], members: Members) -> tuple[str, ...]:
    """Return the hosts that are not idle: the load of an idle one is not compared."""
    idle = set(compress(members.hosts, members.idle.tolist()))
    return tuple(host for host in hosts if host not in idle)


def _absent(series: GroupSeries, reporting: Sequence[str], expected: Mask) -> tuple[str, ...]:
    """Return the reporting hosts without a usable value, if others have one."""
    known: Mask = np.any(np.isfinite(series.host_values[:, expected]), axis=1)
    there = set(compress(series.hosts, known.tolist()))
    return tuple(host for host in reporting if host not in there) if there else ()


def meant_share(step: Step) -> float | None:
    """Return the intended share of the candidate in both arms' traffic."""
    total = step.candidate + step.baseline
    return step.candidate / total if total > 0 else None


def counted_share(recording: Recording, index: int) -> float | None:
    """Return the candidate's share of the requests that the proxy counted in a step."""
    sent = {arm: count for step, arm, count in recording.split if step == index}
    total = sent.get(Arm.CANDIDATE, 0) + sent.get(Arm.BASELINE, 0)
    return sent.get(Arm.CANDIDATE, 0) / total if total else None


def _sent_share(recording: Recording, index: int) -> float:
    """Return the counted or else the intended share of the candidate; NaN if it had all."""
    share = counted_share(recording, index)
    share = meant_share(recording.steps[index]) if share is None else share
    return share if share is not None and 0 < share < 1 else np.nan
