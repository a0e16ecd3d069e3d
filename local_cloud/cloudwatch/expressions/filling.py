"""FILL: values for periods without data."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from itertools import pairwise

from local_cloud.cloudwatch.expressions.grammar import ExpressionError
from local_cloud.cloudwatch.expressions.values import (
    Keyword,
    Operand,
    Value,
    lifted,
    operand,
    with_points,
)
from local_cloud.cloudwatch.metric import TimeSeries
from local_cloud.cloudwatch.store import Span


def fill(span: Span, value: Value, filler: Value) -> Value:
    """Fill every period without a value.

    The filler is a number, another series (its value at that time), REPEAT (the last value before),
    or LINEAR (interpolation between the values around the gap). Periods before the first value stay
    missing; for LINEAR, also those after the last.
    """
    if isinstance(filler, Keyword):
        if filler.name not in KEYWORDS:
            raise ExpressionError(f"FILL fills with a value, REPEAT or LINEAR, not {filler.name}")
        by_keyword = KEYWORDS[filler.name]
        return lifted(lambda series: by_keyword(span, series), value, "FILL")
    by = operand(filler, "FILL")
    return lifted(lambda series: _with_value(span, series, by), value, "FILL")


def _with_value(span: Span, series: TimeSeries, by: Operand) -> TimeSeries:
    other = by.points if isinstance(by, TimeSeries) else dict.fromkeys(_all(span, series), by)
    return with_points(
        series, ((t, series.points.get(t, other.get(t))) for t in _all(span, series))
    )


def _all(span: Span, series: TimeSeries) -> list[int]:
    return sorted({*span.periods(series.period), *series.points})


def _repeat(span: Span, series: TimeSeries) -> TimeSeries:
    known = list(series.points)

    def last(time: int) -> float | None:
        position = bisect_left(known, time + 1)
        return series.points[known[position - 1]] if position else None

    return with_points(series, ((time, last(time)) for time in _all(span, series)))


def _linear(span: Span, series: TimeSeries) -> TimeSeries:
    filled = dict(series.points)
    for (start, low), (end, high) in pairwise(series.points.items()):
        for time in (t for t in span.periods(series.period) if start < t < end):
            filled[time] = low + (high - low) * (time - start) / (end - start)
    return with_points(series, sorted(filled.items()))


KEYWORDS: dict[str, Callable[[Span, TimeSeries], TimeSeries]] = {
    "REPEAT": _repeat,
    "LINEAR": _linear,
}
