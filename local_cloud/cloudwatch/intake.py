"""Validation of PutMetricData, with the error messages of AWS.

Limits: API reference of PutMetricData and MetricDatum. "Validation errors in the metric data will
fail the entire request, and no data will be ingested", so all data are validated first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

from local_cloud.cloudwatch import periods
from local_cloud.cloudwatch.errors import (
    InvalidParameterCombinationError,
    InvalidParameterValueError,
    MissingParameterError,
)
from local_cloud.cloudwatch.metric import Metric

MAX_METRICS = 1000
MAX_VALUES = 150
MAX_DIMENSIONS = 30
MAX_MAGNITUDE = 2.0**360
OLDEST = 14 * periods.DAY
NEWEST = 2 * periods.HOUR
BYTES = ("Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes")
BITS = ("Bits", "Kilobits", "Megabits", "Gigabits", "Terabits")
RATES = tuple(f"{unit}/Second" for unit in (*BYTES, *BITS, "Count"))
TIMES = ("Seconds", "Microseconds", "Milliseconds")
UNITS = (*TIMES, *BYTES, *BITS, "Percent", "Count", *RATES, "None")  # StandardUnit, in API order


class Datum(NamedTuple):
    """One accepted datum: rows of (time, count, sum, minimum, maximum), flat."""

    metric: Metric
    unit: str
    time: float
    rows: Sequence[float]


def accept(
    namespace: str | None, data: Sequence[Mapping[str, Any]] | None, now: float
) -> list[Datum]:
    """Validate every datum and return the accepted data.

    Raises:
        CloudWatchError: one datum is invalid, so none may be stored.
    """
    if not namespace:
        raise MissingParameterError("The parameter Namespace is required.")
    if namespace.startswith(("AWS/", ":")) or len(namespace) > 255:
        raise InvalidParameterValueError(
            f"The value {namespace} for parameter Namespace is invalid."
        )
    if not data:
        raise MissingParameterError("The parameter MetricData is required.")
    _no_larger("MetricData", data, MAX_METRICS)
    return [
        _accept(namespace, f"MetricData.member.{n}", each, now) for n, each in enumerate(data, 1)
    ]


def _accept(namespace: str, path: str, datum: Mapping[str, Any], now: float) -> Datum:
    unit = datum.get("Unit") or "None"
    if unit not in UNITS:
        raise InvalidParameterValueError(
            f"The parameter {path}.Unit must be a value in the set [ {', '.join(UNITS)} ]"
        )
    time = _time(path, datum, now)
    metric = Metric.of(namespace, _name(path, datum), _dimensions(path, datum))
    return Datum(metric, unit, time, _rows(path, datum, time))


def _name(path: str, datum: Mapping[str, Any]) -> str:
    name = datum.get("MetricName")
    if not name:
        raise MissingParameterError(f"The parameter {path}.MetricName is required.")
    _no_longer(f"{path}.MetricName", name, 255)
    return str(name)


def _dimensions(path: str, datum: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    dimensions: Sequence[Mapping[str, str]] = datum.get("Dimensions") or ()
    _no_larger(f"{path}.Dimensions", dimensions, MAX_DIMENSIONS)
    for n, each in enumerate(dimensions, 1):
        for part, longest in (("Name", 255), ("Value", 1024)):
            text = each.get(part)
            if not text:
                raise MissingParameterError(
                    f"The parameter {path}.Dimensions.member.{n}.{part} is required."
                )
            _no_longer(f"{path}.Dimensions.member.{n}.{part}", text, longest)
    return dimensions


def _time(path: str, datum: Mapping[str, Any], now: float) -> float:
    given = datum.get("Timestamp")
    time = now if given is None else float(given)
    if time < now - OLDEST:
        raise InvalidParameterValueError(
            f"The parameter {path}.Timestamp must specify a time within the past two weeks."
        )
    if time > now + NEWEST:
        raise InvalidParameterValueError(
            f"The parameter {path}.Timestamp must specify a time no more than two hours "
            "in the future."
        )
    resolution = datum.get("StorageResolution") or 60
    if resolution not in (1, 60):
        raise InvalidParameterValueError(
            f"The value {resolution} for parameter {path}.StorageResolution is invalid. "
            "It must be 1 or 60."
        )
    return periods.floor(time, resolution)


def _rows(path: str, datum: Mapping[str, Any], time: float) -> Sequence[float]:
    value, values, summary = (datum.get(key) for key in ("Value", "Values", "StatisticValues"))
    if value is not None and values:
        raise InvalidParameterCombinationError(
            f"The parameters {path}.Value and {path}.Values are mutually exclusive and you have "
            "specified both."
        )
    if value is not None:
        value = _number(f"{path}.Value", value)
        return (time, 1.0, value, value, value)
    if values:
        return [part for row in _value_rows(path, datum, time) for part in row]
    if summary:
        return _summary_row(path, summary, time)
    raise InvalidParameterCombinationError(
        f"At least one of the parameters {path}.Value, {path}.Values and {path}.StatisticValues "
        "must be specified."
    )


def _value_rows(path: str, datum: Mapping[str, Any], time: float) -> Iterator[tuple[float, ...]]:
    values, counts = datum["Values"], datum.get("Counts")
    _no_larger(f"{path}.Values", values, MAX_VALUES)
    if counts is not None and len(counts) != len(values):
        raise InvalidParameterValueError(
            f"The parameters {path}.Values and {path}.Counts must be of the same size."
        )
    for n, (each, times) in enumerate(zip(values, counts or repeat(1.0), strict=False), 1):
        value = _number(f"{path}.Values.member.{n}", each)
        count = _number(f"{path}.Counts.member.{n}", times)
        if count < 0:
            raise InvalidParameterValueError(
                f"The value {times} for parameter {path}.Counts.member.{n} is invalid."
            )
        if count:
            yield time, count, count * value, value, value


def _summary_row(path: str, summary: Mapping[str, Any], time: float) -> Sequence[float]:
    path = f"{path}.StatisticValues"
    numbers = []
    for part in ("SampleCount", "Sum", "Minimum", "Maximum"):
        if summary.get(part) is None:
            raise MissingParameterError(f"The parameter {path}.{part} is required.")
        numbers.append(_number(f"{path}.{part}", summary[part]))
    count, _, minimum, maximum = numbers
    if count < 0:
        raise InvalidParameterValueError(
            f"The value {count} for parameter {path}.SampleCount is invalid."
        )
    if minimum > maximum:
        raise InvalidParameterValueError(
            f"The parameter {path}.Maximum must be greater than or equal to {path}.Minimum."
        )
    return (time, *numbers) if count else ()


def _number(path: str, value: Any) -> float:
    number = float(value)
    if not math.isfinite(number) or abs(number) > MAX_MAGNITUDE:
        raise InvalidParameterValueError(f"The value {value} for parameter {path} is invalid.")
    return number


def _no_larger(path: str, collection: Sequence[Any], limit: int) -> None:
    if len(collection) > limit:
        raise InvalidParameterValueError(
            f"The collection {path} must not have a size greater than {limit}."
        )


def _no_longer(path: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise InvalidParameterValueError(
            f"The parameter {path} must be shorter than {limit + 1} characters."
        )
