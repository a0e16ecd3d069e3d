"""Windows of equal instances: a past, cut into overlapping windows for each pair of instances."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from canary.errors import SourceError
from canary.formatting import duration, plural
from canary.judge.shrinkage import Worth
from canary.model import Arm, Recording, Release, Series, Step
from canary.policy import Policy
from canary.sources.base import Source
from canary.sources.queries import source_queries

SHORTEST = 10
"""The least number of judged periods in a window."""
MOST = 400
"""Largest number of windows to judge, spread evenly over times and pairs."""
UNIT_SECONDS = 0.4e-3
"""Time to learn from and judge one period of one metric in one window, on one core."""


@dataclass(frozen=True, slots=True)
class Past:
    """A colour with equal instances, and a span of time without its ``disturbed`` parts."""

    colour: str
    start: int
    end: int
    disturbed: Sequence[tuple[float, float]] = ()

    def stretches(self, period: int) -> Iterator[tuple[int, int]]:
        """Return the undisturbed times, in whole periods."""
        begin: float = self.start
        for first, last in sorted([*self.disturbed, (self.end, self.end)]):
            start, end = int(-(-begin // period)) * period, int(min(first, self.end) // period)
            if end * period > start:
                yield start, end * period
            begin = max(begin, last)


@dataclass(frozen=True, slots=True)
class Cutting:
    """The windows of a past, each of ``length`` periods.

    Attributes:
        windows: the start of each window, and its pair of instances.
        hosts: instances of the colour.
        seconds: undisturbed time of the past.
        worth: how many of the windows are independent.
    """

    length: int
    windows: tuple[tuple[int, tuple[str, str]], ...]
    hosts: int
    seconds: int
    worth: Worth

    def sentence(self, policy: Policy) -> str:
        """Say what will be judged, and about how long that takes."""
        judged = self.length - policy.warmup // policy.period
        work = len(self.windows) * judged * len(policy.metrics) * UNIT_SECONDS
        return (
            f"{duration(self.seconds)} without a canary, {plural(self.hosts, 'instance')}: "
            f"{plural(len(self.windows), 'window')} of {duration(self.length * policy.period)}. "
            f"This takes about {duration(max(work, 1.0))}"
        )


def cutting_of(policy: Policy, instances: Sequence[str], past: Past) -> Cutting:
    """Decide how to cut a past.

    Windows are as long as the longest canary, or half the past where that is shorter. Each begins
    in the middle of the one before.
    """
    period, warmup = policy.period, policy.warmup // policy.period
    stretches = list(past.stretches(period))
    seconds = sum(end - start for start, end in stretches)
    longest = max((end - start for start, end in stretches), default=0) // period
    length = min(warmup + policy.periods, longest // 2)
    if length < warmup + SHORTEST:
        needed = 2 * (warmup + SHORTEST) * period
        raise SourceError(
            f"The longest time without a canary is {duration(longest * period)}; at least "
            f"{duration(needed)} are needed. Use an earlier --start"
        )
    starts = [
        first
        for start, end in stretches
        for first in range(start, end - length * period + 1, max(length // 2, 1) * period)
    ]
    disjoint = sum((end - start) // (length * period) for start, end in stretches)
    share = (length - warmup) / policy.periods
    pairs = list(itertools.combinations(instances, 2))
    worth = Worth(disjoint * share * (len(instances) - 1), len(instances) - 1)
    return Cutting(length, _chosen(starts, pairs), len(instances), seconds, worth)


def _chosen(
    starts: Sequence[int], pairs: Sequence[tuple[str, str]]
) -> tuple[tuple[int, tuple[str, str]], ...]:
    """Return all windows, or an evenly spaced selection of them."""
    every = -(-len(starts) // MOST)
    starts = starts[::every]
    at_once = max(MOST // len(starts), 1)
    turns = itertools.cycle(pairs)
    count = min(at_once, len(pairs))
    return tuple((start, next(turns)) for start in starts for _ in range(count))


def instances_of(source: Source, colour: str) -> tuple[str, ...]:
    """Return the instances of a colour: at least two."""
    instances = source.instances(colour)
    if len(instances) < 2:
        raise SourceError(
            f"{source.describe()} lists {len(instances)} instances of {colour}; a "
            "comparison needs two"
        )
    return instances


def windows(policy: Policy, source: Source, past: Past, cutting: Cutting) -> tuple[Recording, ...]:
    """Read a past, and return its windows in ascending time."""
    instances = tuple(sorted({one for _, pair in cutting.windows for one in pair}))
    by_host = read_hosts(policy, source, past, instances)
    found = pair_windows(policy, by_host, cutting)
    if len({recording.steps[0].start for recording in found}) < 2:
        raise SourceError(
            f"{source.describe()} has values of two instances of {past.colour} in "
            f"{plural(len(found), 'window')}; at least two windows are needed"
        )
    return found


def read_hosts(
    policy: Policy, source: Source, past: Past, instances: Sequence[str]
) -> dict[str, list[Series]]:
    """Read a past, and return the series of each instance."""
    pool = Release(past.colour, "", past.colour, tuple(instances))
    queries = source_queries(policy.metrics)
    series = source.read(queries, {Arm.BASELINE: pool}, past.start, past.end)
    return {host: [one for one in series if one.instance == host] for host in instances}


def pair_windows(
    policy: Policy, by_host: dict[str, list[Series]], cutting: Cutting
) -> tuple[Recording, ...]:
    """Return the windows of a cutting in which both instances have values."""
    cut = (
        window_of(policy, by_host, ((one,), (other,)), first, cutting.length)
        for first, (one, other) in cutting.windows
    )
    return tuple(recording for recording in cut if _measured(recording))


def _measured(recording: Recording) -> bool:
    """Return whether both arms reported any value."""
    arms = {one.arm for one in recording.series if any(value is not None for value in one.values)}
    return arms == set(Arm)


def window_of(
    policy: Policy,
    by_host: dict[str, list[Series]],
    groups: tuple[tuple[str, ...], tuple[str, ...]],
    first: int,
    length: int,
) -> Recording:
    """Return a window of ``length`` periods; the second of ``groups`` is the candidate."""
    last = first + length * policy.period
    cut = (
        _cut(replace(one, arm=arm), first, last)
        for group, arm in zip(groups, (Arm.BASELINE, Arm.CANDIDATE), strict=True)
        for host in group
        for one in by_host[host]
    )
    return Recording(
        environment="rehearsal",
        period=policy.period,
        baseline=Release("A", "", "A", groups[0]),
        candidate=Release("A", "", "A", groups[1]),
        steps=(Step(first, 0.5, 0.5, equal_footing=True),),
        series=tuple(cut),
        looks=tuple(range(first + policy.period, last + 1, policy.period)),
    )


def _cut(series: Series, first: int, last: int) -> Series:
    kept = slice(bisect_left(series.times, first), bisect_left(series.times, last))
    return replace(
        series,
        times=series.times[kept],
        values=series.values[kept],
        samples=series.samples[kept],
        spread=series.spread[kept],
    )
