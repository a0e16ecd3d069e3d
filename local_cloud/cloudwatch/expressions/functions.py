"""The functions of metric math, by name. Each takes a scope and the argument values.

Descriptions and examples: user guide, "Functions supported for metric math".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate, pairwise

from local_cloud.cloudwatch.expressions.aggregates import SINGLE, Function, Scope, aggregate
from local_cloud.cloudwatch.expressions.filling import fill
from local_cloud.cloudwatch.expressions.grammar import ExpressionError
from local_cloud.cloudwatch.expressions.values import (
    Keyword,
    Value,
    array,
    at,
    each_point,
    lifted,
    one_series,
    operand,
    scalar,
    with_points,
)
from local_cloud.cloudwatch.metric import TimeSeries


def steps(function: Callable[[float, int], float]) -> Callable[[TimeSeries], TimeSeries]:
    """Make a series from pairs of consecutive values. The first value has no predecessor."""
    return lambda series: with_points(
        series,
        (
            (t, function(v - before, t - then))
            for (then, before), (t, v) in pairwise(series.points.items())
        ),
    )


def running_sum(series: TimeSeries) -> TimeSeries:
    return with_points(series, zip(series.points, accumulate(series.points.values()), strict=True))


def choose(_: Scope, arguments: Sequence[Value]) -> Value:
    """IF(condition, true value, false value), as in the tables of its page.

    If the condition holds, a missing value counts as 0. If not, the point is dropped.
    """
    condition, then = operand(arguments[0], "IF"), operand(arguments[1], "IF")
    otherwise = operand(arguments[2], "IF") if len(arguments) > 2 else TimeSeries()
    if isinstance(condition, float):
        return then if condition else otherwise
    return with_points(
        condition,
        ((t, at(then, t) if v else _or_none(otherwise, t)) for t, v in condition.points.items()),
    )


def _or_none(value: float | TimeSeries, time: int) -> float | None:
    return value.points.get(time) if isinstance(value, TimeSeries) else value


def sort(scope: Scope, arguments: Sequence[Value]) -> Value:
    members, by, order = array(arguments[0], "SORT"), arguments[1], arguments[2]
    if not (isinstance(by, Keyword) and by.name in SINGLE):
        raise ExpressionError("SORT sorts by AVG, MIN, MAX or SUM")
    if order not in (Keyword("ASC"), Keyword("DESC")):
        raise ExpressionError("SORT needs ASC or DESC")
    key = SINGLE[by.name]
    ordered = sorted(members, key=lambda each: key(scope, each), reverse=order == Keyword("DESC"))
    return ordered[: int(scalar(arguments[3], "SORT"))] if len(arguments) > 3 else ordered


def cut(_: Scope, arguments: Sequence[Value]) -> Value:
    bounds = [int(scalar(each, "SLICE")) for each in arguments[1:]]
    return array(arguments[0], "SLICE")[bounds[0] : bounds[1] if len(bounds) > 1 else None]


def end_of(position: int, name: str) -> Function:
    def function(_: Scope, arguments: Sequence[Value]) -> Value:
        members = array(arguments[0], name)
        return members[position] if members else TimeSeries()

    return function


def by_time(function: Callable[[datetime], float]) -> Function:
    """Make a function that computes each value from the start of its period."""

    def of_series(scope: Scope, arguments: Sequence[Value]) -> Value:
        series = one_series(arguments[0], "a function of time")
        starts = scope.span.periods(series.period)
        return with_points(
            series, ((t, float(function(datetime.fromtimestamp(t, UTC)))) for t in starts)
        )

    return of_series


def constant(scope: Scope, arguments: Sequence[Value]) -> Value:
    value = scalar(arguments[0], "TIME_SERIES")
    return TimeSeries(dict.fromkeys(scope.span.periods(scope.period), value), scope.period)


def search(scope: Scope, arguments: Sequence[Value]) -> Value:
    expression, statistic = arguments[0], arguments[1]
    if not (isinstance(expression, str) and isinstance(statistic, str)):
        raise ExpressionError("SEARCH needs a search expression and a statistic, both quoted")
    period = int(scalar(arguments[2], "SEARCH")) if len(arguments) > 2 else scope.period
    return scope.search(expression, statistic, period)


def metrics(scope: Scope, arguments: Sequence[Value]) -> Value:
    containing = arguments[0] if arguments else ""
    if not isinstance(containing, str):
        raise ExpressionError("METRICS takes a quoted part of an id, or nothing")
    return scope.metrics(containing)


def point_wise(name: str, function: Callable[[float], float | None]) -> Function:
    return lambda _, arguments: each_point(function, arguments[0], name)


def over_series(name: str, function: Callable[[TimeSeries], TimeSeries]) -> Function:
    return lambda _, arguments: lifted(function, arguments[0], name)


def _log(value: float) -> float | None:
    return math.log(value) if value > 0 else None


def _log10(value: float) -> float | None:
    return math.log10(value) if value > 0 else None


# name: (function, fewest arguments, most arguments)
FUNCTIONS: Mapping[str, tuple[Function, int, int]] = {
    **{name: (aggregate(name, single), 1, 1) for name, single in SINGLE.items()},
    "ABS": (point_wise("ABS", abs), 1, 1),
    "CEIL": (point_wise("CEIL", lambda value: float(math.ceil(value))), 1, 1),
    "FLOOR": (point_wise("FLOOR", lambda value: float(math.floor(value))), 1, 1),
    "LOG": (point_wise("LOG", _log), 1, 1),
    "LOG10": (point_wise("LOG10", _log10), 1, 1),
    "DIFF": (over_series("DIFF", steps(lambda change, _: change)), 1, 1),
    "DIFF_TIME": (over_series("DIFF_TIME", steps(lambda _, elapsed: float(elapsed))), 1, 1),
    "RATE": (over_series("RATE", steps(lambda change, elapsed: change / elapsed)), 1, 1),
    "RUNNING_SUM": (over_series("RUNNING_SUM", running_sum), 1, 1),
    "FILL": (lambda scope, arguments: fill(scope.span, arguments[0], arguments[1]), 2, 2),
    "IF": (choose, 2, 3),
    "PERIOD": (lambda _, arguments: float(one_series(arguments[0], "PERIOD").period), 1, 1),
    "METRICS": (metrics, 0, 1),
    "METRIC_COUNT": (lambda _, arguments: float(len(array(arguments[0], "METRIC_COUNT"))), 1, 1),
    "REMOVE_EMPTY": (
        lambda _, arguments: [s for s in array(arguments[0], "REMOVE_EMPTY") if s.points],
        1,
        1,
    ),
    "FIRST": (end_of(0, "FIRST"), 1, 1),
    "LAST": (end_of(-1, "LAST"), 1, 1),
    "SLICE": (cut, 2, 3),
    "SORT": (sort, 3, 4),
    "SEARCH": (search, 2, 3),
    "TIME_SERIES": (constant, 1, 1),
    "EPOCH": (by_time(lambda start: start.timestamp()), 1, 1),
    "MINUTE": (by_time(lambda start: start.minute), 1, 1),
    "HOUR": (by_time(lambda start: start.hour), 1, 1),
    "DAY": (by_time(lambda start: start.isoweekday()), 1, 1),
    "DATE": (by_time(lambda start: start.day), 1, 1),
    "MONTH": (by_time(lambda start: start.month), 1, 1),
    "YEAR": (by_time(lambda start: start.year), 1, 1),
}
