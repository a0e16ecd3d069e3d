"""Aggregates such as SUM and AVG: one series gives a number, an array gives a series."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from local_cloud.cloudwatch.expressions.values import Array, Value, array, times, with_points
from local_cloud.cloudwatch.metric import TimeSeries
from local_cloud.cloudwatch.store import Span


class Scope(Protocol):
    """What an expression can refer to."""

    @property
    def span(self) -> Span:
        """Return the requested span of time."""
        ...

    @property
    def period(self) -> int:
        """Return the default period."""
        ...

    def lookup(self, name: str) -> Value:
        """Return the result of the query with this id."""
        ...

    def metrics(self, containing: str) -> Array:
        """Return the requested metrics (not expressions) whose id contains the text."""
        ...

    def search(self, expression: str, statistic: str, period: int) -> Array:
        """Return one series for each matching metric."""
        ...


Function = Callable[[Scope, Sequence[Value]], Value]


def aggregate(name: str, over_series: Callable[[Scope, TimeSeries], float]) -> Function:
    """Make an aggregate function: one series gives a number, an array gives a series."""

    def function(scope: Scope, arguments: Sequence[Value]) -> Value:
        value = arguments[0]
        if isinstance(value, TimeSeries):
            return over_series(scope, value)
        members = array(value, name)
        across = ACROSS[name]
        shape = TimeSeries(period=max((each.period for each in members), default=scope.period))
        return with_points(shape, ((time, across(members, time)) for time in times(members)))

    return function


def _present(members: Array, time: int) -> list[float]:
    return [each.points[time] for each in members if time in each.points]


ACROSS: Mapping[str, Callable[[Array, int], float]] = {
    "SUM": lambda members, time: sum(_present(members, time)),
    "AVG": lambda members, time: sum(_present(members, time)) / len(members),
    "MIN": lambda members, time: min(_present(members, time)),
    "MAX": lambda members, time: max(_present(members, time)),
    "STDDEV": lambda members, time: statistics.pstdev(_present(members, time)),
    "DATAPOINT_COUNT": lambda members, time: float(len(_present(members, time))),
}


def _average(scope: Scope, series: TimeSeries) -> float:
    """Return the mean over all periods: "Missing values are treated as 0"."""
    return sum(series.points.values()) / max(1, len(scope.span.periods(series.period)))


def _extreme(choose: Callable[..., float]) -> Callable[[Scope, TimeSeries], float]:
    return lambda _, series: choose(series.points.values(), default=0.0)


SINGLE: Mapping[str, Callable[[Scope, TimeSeries], float]] = {
    "SUM": lambda _, series: float(sum(series.points.values())),
    "AVG": _average,
    "MIN": _extreme(min),
    "MAX": _extreme(max),
    "STDDEV": lambda _, series: statistics.pstdev(series.points.values()) if series.points else 0.0,
    "DATAPOINT_COUNT": lambda _, series: float(len(series.points)),
}
