"""What metric math computes with: numbers, time series, arrays of series; and lifting over them.

"Missing values in a time series are treated as 0. If the value of a data point causes a function
to attempt to divide by zero, the data point is dropped" (user guide, metric math).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeGuard

from local_cloud.cloudwatch.expressions.grammar import ExpressionError
from local_cloud.cloudwatch.metric import TimeSeries


@dataclass(frozen=True, slots=True)
class Keyword:
    """An upper-case word such as REPEAT, ASC or AVG."""

    name: str


Array = list[TimeSeries]
Value = float | TimeSeries | Array | str | Keyword
Numeric = Callable[..., float | None]


def is_array(value: Value) -> TypeGuard[Array]:
    return isinstance(value, list)


def numeric(value: Value, where: str) -> float | TimeSeries | Array:
    """Return the value if one can compute with it."""
    if isinstance(value, str | Keyword):
        raise ExpressionError(f"{where} needs numbers or time series")
    return value


def one_series(value: Value, where: str) -> TimeSeries:
    if is_array(value) and len(value) == 1:
        return value[0]
    if not isinstance(value, TimeSeries):
        raise ExpressionError(f"{where} needs a time series")
    return value


def scalar(value: Value, where: str) -> float:
    if not isinstance(value, float):
        raise ExpressionError(f"{where} needs a number")
    return value


def array(value: Value, where: str) -> Array:
    """Return the value as an array; a single series is an array of one."""
    if isinstance(value, TimeSeries):
        return [value]
    if not is_array(value):
        raise ExpressionError(f"{where} needs an array of time series")
    return value


def with_points(series: TimeSeries, points: Iterable[tuple[int, float | None]]) -> TimeSeries:
    """Return a series with other points; those without a value are dropped."""
    return replace(series, points={time: value for time, value in points if value is not None})


def times(series: Iterable[TimeSeries]) -> list[int]:
    """Return every time at which one of them has a value."""
    return sorted(set().union(*(each.points for each in series)))


def each_point(function: Numeric, value: Value, where: str) -> Value:
    """Apply a function of one number to every point."""
    value = numeric(value, where)
    if isinstance(value, float):
        return _defined(function(value), where)
    if is_array(value):
        return [_map(function, series) for series in value]
    return _map(function, value)


def _map(function: Numeric, series: TimeSeries) -> TimeSeries:
    return with_points(series, ((time, function(value)) for time, value in series.points.items()))


def pairwise(function: Numeric, left: Value, right: Value, sign: str) -> Value:
    """Apply a function of two numbers point by point; a missing point of either is 0."""
    left, right = numeric(left, sign), numeric(right, sign)
    if is_array(left) and is_array(right):
        raise ExpressionError(f"'{sign}' cannot be used between two arrays of time series")
    if is_array(left):
        return [_pair(function, each, right) for each in left]
    if is_array(right):
        return [_pair(function, left, each) for each in right]
    if isinstance(left, float) and isinstance(right, float):
        return _defined(function(left, right), sign)
    return _pair(function, left, right)


def _pair(function: Numeric, left: float | TimeSeries, right: float | TimeSeries | Array) -> TimeSeries:
    both = [each for each in (left, right) if isinstance(each, TimeSeries)]
    return with_points(
        replace(both[0], period=max(each.period for each in both)),
        ((time, function(at(left, time), at(right, time))) for time in times(both)),
    )


def at(value: float | TimeSeries | Array, time: int) -> float:
    """Return the value at a time: 0 where a series has none."""
    if isinstance(value, TimeSeries):
        return value.points.get(time, 0.0)
    return value if isinstance(value, float) else 0.0


def _defined(value: float | None, where: str) -> float:
    if value is None:
        raise ExpressionError(f"'{where}' has no result for these numbers")
    return value
