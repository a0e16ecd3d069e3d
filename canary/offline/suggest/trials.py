"""Windows of equal instances, judged as they are and with harm added to one arm."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

from scipy import stats

from canary.errors import SourceError
from canary.evidence.table import table_of
from canary.formatting import duration
from canary.judge.batch import Trace, judge_many
from canary.judge.comparison import Arms
from canary.judge.priors import Setting, setting_of
from canary.learned import Calibration
from canary.model import Arm, Recording, Series, Verdict
from canary.offline.rehearse import Past, stacked, window_of
from canary.offline.suggest.harm import harmed, tested
from canary.offline.suggest.kinds import COVERED
from canary.policy import Policy
from canary.stats.paired import Mask

CONFIDENCE = 0.95
MOST = 400
"""The most windows that are judged."""
Hosts = Mapping[str, list[Series]]
Groups = tuple[tuple[str, ...], tuple[str, ...]]
Window = tuple[int, Groups]


def bounds(alarms: int, windows: int) -> tuple[float, float]:
    """Return the lowest and the highest rate, each with 95 % confidence."""
    interval = stats.binomtest(alarms, windows).proportion_ci(2 * CONFIDENCE - 1, method="exact")
    return float(interval.low), float(interval.high)


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of two equal groups of instances, with the arms of every metric.

    Attributes:
        starts: the start of each window, which lasts ``seconds``.
        groups: the number of instances of each arm.
    """

    arms: Mapping[str, Arms]
    starts: tuple[int, ...]
    seconds: int
    groups: tuple[int, int]

    @property
    def count(self) -> int:
        return len(self.starts)

    def independent(self, chosen: Mask | None = None) -> int:
        """Return how many of the windows, or of the chosen ones, do not overlap."""
        found, free = 0, -math.inf
        for at in sorted(self.starts if chosen is None else compress(self.starts, chosen)):
            if at >= free:
                found, free = found + 1, at + self.seconds
        return found

    def surely_more(self, alarms: int, share: float) -> bool:
        """Return whether the rate is surely above ``share``, with 95 % confidence."""
        return bounds(alarms, self.independent())[0] > share

    def judge(self, policy: Policy, known: Calibration, arms: Mapping[str, Arms]) -> Trace:
        """Judge ``arms`` at every period, as a canary with equal shares would be."""
        periods = next(iter(self.arms.values())).candidate.shape[1]
        looks = range(1, periods + 1)
        return judge_many(policy, arms, known.metrics, looks, self._setting(known))

    def _setting(self, known: Calibration) -> Setting:
        return setting_of(known.fingerprint, self.groups, 0.5)


@dataclass(frozen=True, slots=True)
class Measured:
    """The results of a policy on windows of equal instances.

    Attributes:
        windows: number of independent windows; ``alarms`` ended with FAIL, ``passed`` with PASS.
        culprits: by metric, the number of alarms that it raised.
        harms: by metric, the number of windows that failed with harm of the size in ``sizes``.
    """

    windows: int
    alarms: int
    passed: int
    culprits: Mapping[str, int]
    harms: Mapping[str, int]
    sizes: Mapping[str, float]

    @property
    def upper(self) -> float:
        """The highest rate of false alarms that these windows allow, with 95 % confidence."""
        return bounds(self.alarms, self.windows)[1]

    @property
    def lower(self) -> float:
        """The lowest rate of false alarms that these windows allow, with 95 % confidence."""
        return bounds(self.alarms, self.windows)[0]


def windows_to_learn(past: Past, period: int, length: int, hosts: Sequence[str]) -> list[Window]:
    """Return overlapping windows, in which each host is on each side, to choose margins."""
    starts = list(_starts(past, period, length, max(length // 2, 1)))
    splits = [_split(_turned(hosts, turn)) for turn in range(min(len(hosts) - 1, 3))]
    both = [split for one in splits for split in (one, one[::-1])]
    starts = starts[:: -(-len(starts) * len(both) // MOST)]
    return [(start, split) for start in starts for split in both]


def windows_in_turn(past: Past, period: int, length: int, hosts: Sequence[str]) -> list[Window]:
    """Return windows that do not overlap, so that they are independent of each other."""
    one = _split(hosts)
    return [(start, one) for start in list(_starts(past, period, length, length))[-MOST:]]


def windows_to_measure(past: Past, period: int, length: int, hosts: Sequence[str]) -> list[Window]:
    """Return windows that do not overlap, in which the groups take turns as the candidate."""
    found = windows_in_turn(past, period, length, hosts)
    return [(start, one if at % 2 else one[::-1]) for at, (start, one) in enumerate(found)]


def _starts(past: Past, period: int, length: int, every: int) -> Iterator[int]:
    for start, end in past.stretches(period):
        yield from range(start, end - length * period + 1, every * period)


def _turned(hosts: Sequence[str], turn: int) -> Sequence[str]:
    """Return the hosts in another order, the first one in the same place."""
    rest = list(hosts[1:])
    return [hosts[0], *rest[turn:], *rest[:turn]]


def _split(hosts: Sequence[str]) -> Groups:
    """Return two halves of the hosts. If their number is odd, one host is left out."""
    even = len(hosts) // 2 * 2
    return tuple(hosts[0:even:2]), tuple(hosts[1:even:2])


def cut(policy: Policy, by_host: Hosts, windows: Sequence[Window], length: int) -> Windows:
    """Return the windows in which both groups reported, with the arms of every metric.

    Raises:
        SourceError: there is no such window.
    """
    drawn = [
        (start, window_of(policy, dict(by_host), groups, start, length))
        for start, groups in windows
    ]
    kept = [(start, table_of(policy, one)) for start, one in drawn if _reported(one, length)]
    if not kept:
        raise SourceError(
            f"In no {duration(length * policy.period)} of one half of the history did both halves "
            f"of the instances report. Use instances and a time in which all of them ran"
        )
    starts, tables = zip(*kept, strict=True)
    found = {metric.name: stacked(policy, metric, tables) for metric in policy.metrics}
    arms = {name: arms for name, arms in found.items() if arms is not None}
    one, other = windows[0][1]
    return Windows(arms, starts, length * policy.period, (len(other), len(one)))


def _reported(window: Recording, length: int) -> bool:
    """Return whether both arms have values in most periods: an empty window raises no alarm."""
    times: dict[Arm, set[int]] = {arm: set() for arm in Arm}
    for one in window.series:
        pairs = zip(one.times, one.values, strict=True)
        times[one.arm].update(time for time, value in pairs if value is not None)
    return all(len(seen) >= COVERED * length for seen in times.values())


def measure(policy: Policy, windows: Windows, known: Calibration) -> Measured:
    """Judge the windows as they are, then with harm added to each metric in turn."""
    harms, sizes = {}, {}
    for metric in policy.metrics:
        if (arms := windows.arms.get(metric.name)) is not None:
            sizes[metric.name] = tested(metric, arms)
            worse = harmed(metric, arms, sizes[metric.name])
            harms[metric.name] = _failed(policy, windows, known, {metric.name: worse})
    equal = windows.judge(policy, known, windows.arms)
    failed = equal.verdicts() == str(Verdict.FAIL)
    raised = {name: int((first[failed] > 0).sum()) for name, first in equal.metric_fail.items()}
    return Measured(
        windows=windows.count,
        alarms=int(failed.sum()),
        passed=int((equal.verdicts() == str(Verdict.PASS)).sum()),
        culprits={name: count for name, count in raised.items() if count},
        harms=harms,
        sizes=sizes,
    )


def _failed(
    policy: Policy, windows: Windows, known: Calibration, changed: Mapping[str, Arms]
) -> int:
    trace = windows.judge(policy, known, {**windows.arms, **changed})
    return int((trace.verdicts() == str(Verdict.FAIL)).sum())
