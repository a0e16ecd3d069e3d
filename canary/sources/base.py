"""The protocol that every source of metrics follows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from canary.model import Arm, Release, Series

Window = tuple[int, int]
"""Start and end, in seconds since the epoch."""
Z90 = 1.2815515655446004  # standard normal quantile at 0.90 (scipy 1.17, norm.ppf(0.9))


@dataclass(frozen=True, slots=True)
class Query:
    """One metric of a policy, with the names that a source uses.

    Attributes:
        metric: the policy's own name for it.
        name: the source's name for it.
        statistic: the statistic of each period: Sum, Average, Minimum, Maximum, SampleCount, p90...
        samples: the count metric that holds the number of observations behind a value; without it,
            the number of observations of the metric itself.
        spread: whether to read p50 and p90 too, for the spread of a single observation.
    """

    metric: str
    name: str
    statistic: str
    samples: str | None = None
    spread: bool = False


class Source(Protocol):
    """A source of metrics.

    Missing data is not an error: a period without data is ``None``, and the judge decides what
    that means. Every method raises ``SourceError`` if the source cannot be read.
    """

    own_clocks: bool
    """Whether an instance says itself to which period a value belongs."""

    def instances(self, colour: str, window: Window | None = None) -> tuple[str, ...]:
        """Return the instances of one colour, sorted by name.

        With a ``window``, they include ended instances that have values in it.
        """
        ...

    def read(
        self, queries: Sequence[Query], arms: Mapping[Arm, Release], start: int, end: int
    ) -> tuple[Series, ...]:
        """Return one series per metric and instance over the periods in [start, end)."""
        ...

    def names(self, colour: str) -> tuple[str, ...]:
        """Return the names of all metrics that can be read of a colour, sorted."""
        ...

    def describe(self) -> str:
        """Describe the source in one line."""
        ...

    def found_by(self, colour: str) -> str:
        """Return how a colour's instances are found, in one sentence for an error message."""
        ...


def settled_end(now: float, period: int, settle: float | None) -> int:
    """Return the end of the newest period that ended at least ``settle`` seconds ago.

    A period that is not over, or whose data may still be on its way, is never read. By default, a
    source waits one more period.

    >>> settled_end(now=103.0, period=5, settle=None)
    95
    >>> settled_end(now=103.0, period=5, settle=2)
    100
    """
    grace = period if settle is None else settle
    return math.floor((now - grace) / period) * period


def periods(start: int, end: int, period: int) -> tuple[int, ...]:
    """Return the starts of the whole periods inside [start, end)."""
    first = -(-start // period) * period
    return tuple(range(first, end - period + 1, period))


def log_spread(p50: float | None, p90: float | None) -> float | None:
    """Return the standard deviation of the log of one observation, from two percentiles.

    It is exact for log-normal observations: log(p90 / p50) is z(0.9) standard deviations.

    >>> round(log_spread(p50=100.0, p90=245.1), 3)
    0.7
    """
    if p50 is None or p90 is None or p50 <= 0 or p90 < p50:
        return None
    return math.log(p90 / p50) / Z90


def joined(parts: Iterable[Series]) -> tuple[Series, ...]:
    """Join the series of consecutive windows by metric and instance, in order of appearance.

    An instance that is missing in one window has ``None`` there. So all series of one recording
    cover the same periods.
    """
    grouped: dict[tuple[str, Arm, str], list[Series]] = {}
    times: set[int] = set()
    for part in parts:
        grouped.setdefault((part.metric, part.arm, part.instance), []).append(part)
        times.update(part.times)
    axis = tuple(sorted(times))
    return tuple(_on_axis(series, axis) for series in grouped.values())


def _on_axis(parts: Sequence[Series], axis: tuple[int, ...]) -> Series:
    values: dict[int, float | None] = {}
    samples: dict[int, float | None] = {}
    spread: dict[int, float | None] = {}
    for part in parts:
        values.update(zip(part.times, part.values, strict=True))
        samples.update(zip(part.times, part.samples, strict=True))
        spread.update(zip(part.times, part.spread, strict=False))
    first, infinite = parts[0], {time for part in parts for time in part.infinite}
    return Series(
        metric=first.metric,
        arm=first.arm,
        instance=first.instance,
        times=axis,
        values=tuple(values.get(time) for time in axis),
        samples=tuple(samples.get(time) for time in axis),
        spread=tuple(spread.get(time) for time in axis) if spread else (),
        infinite=tuple(sorted(infinite)),
        late=tuple(sorted({point for part in parts for point in part.late})),
    )
