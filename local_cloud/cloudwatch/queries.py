"""Parsing and validation of the queries of GetMetricData and of metric math alarms.

AWS reports all errors of a request in one ValidationError, one in each line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_cloud.cloudwatch import periods, statistics
from local_cloud.cloudwatch.errors import ValidationError
from local_cloud.cloudwatch.expressions import grammar
from local_cloud.cloudwatch.intake import UNITS
from local_cloud.cloudwatch.metric import Metric
from local_cloud.cloudwatch.store import Reading

MAX_QUERIES = 500
ID = re.compile(r"[a-z][a-zA-Z0-9_]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Query:
    """One query: exactly one of ``reading`` and ``expression`` is set."""

    id: str
    label: str | None
    wanted: bool
    period: int | None
    reading: Reading | None
    expression: str | None


def read_queries(
    given: Sequence[Mapping[str, Any]] | None, parameter: str = "MetricDataQueries"
) -> list[Query]:
    """Return the queries of a request.

    Raises:
        ValidationError: with all errors found.
    """
    if not given:
        raise ValidationError(f"The parameter {parameter} is required.")
    if len(given) > MAX_QUERIES:
        raise ValidationError(
            f"The collection {parameter} must not have a size greater than {MAX_QUERIES}."
        )
    faults = [
        fault
        for n, query in enumerate(given, 1)
        for fault in _faults(f"{parameter}.member.{n}", query)
    ]
    ids = [query.get("Id") for query in given]
    faults += [
        f"The id {id_} is used by more than one query."
        for id_ in sorted({str(i) for i in ids if ids.count(i) > 1})
    ]
    if faults:
        raise ValidationError("\n".join(faults))
    return [_query(query) for query in given]


def _faults(path: str, query: Mapping[str, Any]) -> Iterator[str]:
    id_, metric, expression = query.get("Id"), query.get("MetricStat"), query.get("Expression")
    if not id_:
        yield f"The parameter {path}.Id is required."
    elif not ID.fullmatch(id_):
        yield (
            f"The value {id_} for parameter {path}.Id is not matching the expected pattern "
            "^[a-z][a-zA-Z0-9_]*$."
        )
    if metric and expression:
        yield (
            f"The parameters {path}.Expression and {path}.MetricStat are mutually exclusive "
            "and you have specified both."
        )
    elif metric:
        yield from _metric_faults(f"{path}.MetricStat", metric)
    elif expression:
        yield from _expression_faults(str(id_), expression)
    else:
        yield f"The parameter {path}.MetricStat is required."
    yield from _period_faults(f"{path}.Period", query.get("Period"))


def _metric_faults(path: str, stat: Mapping[str, Any]) -> Iterator[str]:
    metric = stat.get("Metric") or {}
    for part in ("Namespace", "MetricName"):
        if not metric.get(part):
            yield f"The parameter {path}.Metric.{part} is required."
    if len(metric.get("Dimensions") or ()) > 30:
        yield f"The collection {path}.Metric.Dimensions must not have a size greater than 30."
    if not is_statistic(stat.get("Stat")):
        yield f"The value {stat.get('Stat')} for parameter {path}.Stat is not a valid statistic."
    if stat.get("Unit") not in (None, *UNITS):
        yield f"The parameter {path}.Unit must be a value in the set [ {', '.join(UNITS)} ]"
    if stat.get("Period") is None:
        yield f"The parameter {path}.Period is required."
    yield from _period_faults(f"{path}.Period", stat.get("Period"))


def _period_faults(path: str, period: int | None) -> Iterator[str]:
    if period is not None and not periods.is_valid(period):
        yield f"The value {period} for parameter {path} is invalid. {periods.ALLOWED}"


def _expression_faults(id_: str, expression: str) -> Iterator[str]:
    if expression.lstrip().upper().startswith("SELECT"):
        yield f"Error in expression '{id_}': the local cloud has no Metrics Insights queries."
        return
    try:
        grammar.parse(expression)
    except grammar.ExpressionError as error:
        yield f"Error in expression '{id_}': {error}."


def is_statistic(name: str | None) -> bool:
    try:
        statistics.parse(name or "")
    except ValueError:
        return False
    return True


def _query(given: Mapping[str, Any]) -> Query:
    stat = given.get("MetricStat")
    return Query(
        id=given["Id"],
        label=given.get("Label"),
        wanted=given.get("ReturnData") is not False,
        period=given.get("Period"),
        reading=_reading(stat) if stat else None,
        expression=given.get("Expression"),
    )


def _reading(stat: Mapping[str, Any]) -> Reading:
    metric = stat["Metric"]
    identity = Metric.of(metric["Namespace"], metric["MetricName"], metric.get("Dimensions") or ())
    return Reading(identity, stat["Stat"], stat["Period"], stat.get("Unit"))
