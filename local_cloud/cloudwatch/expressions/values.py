"""The values of metric math: numbers, time series, arrays of series.

"Missing values in a time series are treated as 0. If the value of a data point causes a function
to attempt to divide by zero, the data point is dropped" (user guide, metric math).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from local_cloud.cloudwatch.expressions.grammar import ExpressionError
from local_cloud.cloudwatch.metric import TimeSeries


@dataclass(frozen=True, slots=True)
class Keyword:
    """An upper-case word such as REPEAT, ASC or AVG."""

    name: str


Operand = float | TimeSeries
Array = list[TimeSeries]
Value = Operand | Array | str | Keyword
Numeric = Callable[..., float | None]


def operand(value: Value, where: str) -> Operand:
    """Return the value if it is a number or one series."""
    if isinstance(value, list) and len(value) == 1:
        return value[0]
    if not isinstance(value, float | TimeSeries):
        raise ExpressionError(f"{where} needs a number or a time series")
    return value


def one_series(value: Value, where: str) -> TimeSeries:
    single = operand(value, where)
    if isinstance(single, float):
        raise ExpressionError(f"{where} needs a time series, not the number {single:g}")
    return single


def scalar(value: Value, where: str) -> float:
    if not isinstance(value, float):
        raise ExpressionError(f"{where} needs a number")
    return value


def array(value: Value, where: str) -> Array:
    """Return the value as an array; a single series is an array of one."""
    if isinstance(value, TimeSeries):
        return [value]
    if not isinstance(value, list):
        raise ExpressionError(f"{where} needs an array of time series")
    return value


def with_points(series: TimeSeries, points: Iterable[tuple[int, float | None]]) -> TimeSeries:
    """Return a series with new points; points without a value are dropped."""
    return replace(series, points={time: value for time, value in points if value is not None})


def times(series: Iterable[TimeSeries]) -> list[int]:
    """Return every time at which at least one series has a value."""
    return sorted(set().union(*(each.points for each in series)))


def lifted(function: Callable[[TimeSeries], TimeSeries], value: Value, where: str) -> Value:
    """Apply a function of one series to it, or to each of an array."""
    if isinstance(value, list):
        return [function(series) for series in value]
    return function(one_series(value, where))


def each_point(function: Numeric, value: Value, where: str) -> Value:
    """Apply a function of one number to it, or to every point."""
    if isinstance(value, float):
        return _defined(function(value), where)
    return lifted(
        lambda series: with_points(series, ((t, function(v)) for t, v in series.points.items())),
        value,
        where,
    )


def combined(function: Numeric, left: Value, right: Value, sign: str) -> Value:
    """Apply a function of two numbers point by point; a missing point counts as 0."""
    if isinstance(left, list) and isinstance(right, list) and len(left) > 1 < len(right):
        raise ExpressionError(f"'{sign}' does not work between two arrays of time series")
    if isinstance(left, list) and len(left) != 1:
        return [_pair(function, each, operand(right, sign)) for each in left]
    if isinstance(right, list) and len(right) != 1:
        return [_pair(function, operand(left, sign), each) for each in right]
    one, other = operand(left, sign), operand(right, sign)
    if isinstance(one, float) and isinstance(other, float):
        return _defined(function(one, other), sign)
    return _pair(function, one, other)


def _pair(function: Numeric, left: Operand, right: Operand) -> TimeSeries:
    both = [each for each in (left, right) if isinstance(each, TimeSeries)]
    return with_points(
        replace(both[0], period=max(each.period for each in both)),
        ((time, function(at(left, time), at(right, time))) for time in times(both)),
    )


def at(value: Operand, time: int) -> float:
    """Return the value at a time; 0 if the series has none."""
    return value.points.get(time, 0.0) if isinstance(value, TimeSeries) else value


def _defined(value: float | None, where: str) -> float:
    if value is None:
        raise ExpressionError(f"'{where}' has no result for these numbers")
    return value
