"""PutMetricData, GetMetricData, GetMetricStatistics, ListMetrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from local_cloud.cloudwatch import paging, periods, statistics
from local_cloud.cloudwatch.answers import answer
from local_cloud.cloudwatch.errors import (
    InvalidParameterCombinationError,
    InvalidParameterValueError,
    MissingParameterError,
    ValidationError,
)
from local_cloud.cloudwatch.metric import Metric, TimeSeries
from local_cloud.cloudwatch.queries import is_statistic, read_queries
from local_cloud.cloudwatch.service import CloudWatch
from local_cloud.cloudwatch.store import Reading, Span

Parameters = Mapping[str, Any]
Result = dict[str, Any]
MOST_DATAPOINTS = 100_800
MOST_STATISTICS = 1_440
METRICS_ON_A_PAGE = 500


def put_metric_data(cloud: CloudWatch, parameters: Parameters) -> None:
    of_entities = parameters.get("EntityMetricData") or ()
    data = [
        *(parameters.get("MetricData") or ()),
        *(d for e in of_entities for d in e.get("MetricData") or ()),
    ]
    cloud.metrics.put(parameters.get("Namespace"), data)


def get_metric_data(cloud: CloudWatch, parameters: Parameters) -> Result:
    queries = read_queries(parameters.get("MetricDataQueries"))
    start, end = _range(parameters, ValidationError, ValidationError)
    limit = parameters.get("MaxDatapoints") or MOST_DATAPOINTS
    if not 0 < limit <= MOST_DATAPOINTS:
        raise ValidationError(
            f"The value {limit} for parameter MaxDatapoints is invalid. "
            f"It must be 1 to {MOST_DATAPOINTS}."
        )
    smallest = min([query.reading.period for query in queries if query.reading], default=60)
    span = Span(periods.round_start(start, smallest, cloud.clock()), end)
    answers = answer(cloud.metrics, queries, span)
    page = paging.page(
        [each.series for each in answers],
        limit,
        ascending=parameters.get("ScanBy") == "TimestampAscending",
        after=parameters.get("NextToken"),
        request=[parameters["MetricDataQueries"], start, end, parameters.get("ScanBy")],
    )
    results = [
        {
            "Id": each.id,
            "Label": each.label,
            "Timestamps": [utc(time) for time, _ in points],
            "Values": [value for _, value in points],
            "StatusCode": "Complete" if complete else "PartialData",
        }
        for each, points, complete in zip(answers, page.points, page.complete, strict=True)
    ]
    return {"MetricDataResults": results, "NextToken": page.token, "Messages": []}


def get_metric_statistics(cloud: CloudWatch, parameters: Parameters) -> Result:
    start, end = _range(parameters, MissingParameterError, InvalidParameterValueError)
    metric, period = _metric(parameters), parameters.get("Period")
    if period is None:
        raise MissingParameterError("The parameter Period is required.")
    if not periods.is_valid(period):
        raise InvalidParameterValueError(
            f"The value {period} for parameter Period is invalid. {periods.ALLOWED}"
        )
    names = _statistics(parameters)
    span = Span(periods.round_start(start, period, cloud.clock()), end)
    asked = len(span.periods(period))
    if asked > MOST_STATISTICS:
        raise InvalidParameterCombinationError(
            f"You have requested up to {asked} datapoints, which exceeds the limit of "
            f"{MOST_STATISTICS}. You may reduce the datapoints requested by increasing Period, or "
            "decreasing the time range."
        )
    wanted = parameters.get("Unit")
    units = [unit for unit in cloud.metrics.units(metric) if wanted in (None, unit)]
    datapoints = [
        point
        for unit in units
        for point in _datapoints(
            unit,
            {name: cloud.metrics.read(Reading(metric, name, period, unit), span) for name in names},
        )
    ]
    return {"Label": metric.name, "Datapoints": datapoints}


def _datapoints(unit: str, series: Mapping[str, TimeSeries]) -> Iterable[Result]:
    """Return the data of one unit: "two separate data streams are returned, one for each unit"."""
    points: dict[int, Result] = {}
    for name, of_name in series.items():
        for time, value in of_name.points.items():
            point = points.setdefault(time, {"Timestamp": utc(time), "Unit": unit})
            if statistics.is_simple(name):
                point[name] = value
            else:
                point.setdefault("ExtendedStatistics", {})[name] = value
    return points.values()


def _statistics(parameters: Parameters) -> list[str]:
    simple, extended = (
        parameters.get("Statistics") or [],
        parameters.get("ExtendedStatistics") or [],
    )
    if bool(simple) == bool(extended):
        raise InvalidParameterCombinationError(
            "Must specify either Statistics or ExtendedStatistics, and not both."
        )
    for n, name in enumerate(simple, 1):
        if not statistics.is_simple(name):
            raise InvalidParameterValueError(
                f"The parameter Statistics.member.{n} must be a value in the set "
                f"[ {', '.join(statistics.SIMPLE)} ]"
            )
    for n, name in enumerate(extended, 1):
        if statistics.is_simple(name) or not is_statistic(name):
            raise InvalidParameterValueError(
                f"The value {name} for parameter ExtendedStatistics.member.{n} is invalid."
            )
    return [*simple, *extended]


def list_metrics(cloud: CloudWatch, parameters: Parameters) -> Result:
    active = parameters.get("RecentlyActive")
    if active not in (None, "PT3H"):
        raise InvalidParameterValueError(
            f"The value {active} for parameter RecentlyActive is invalid. It must be PT3H."
        )
    found = [
        metric
        for metric in cloud.metrics.metrics(recently_active=active is not None)
        if _matches(metric, parameters)
    ]
    here, token = paging.page_of(found, METRICS_ON_A_PAGE, parameters.get("NextToken"))
    metrics = [
        {"Namespace": each.namespace, "MetricName": each.name, "Dimensions": each.as_dimensions()}
        for each in here
    ]
    return {"Metrics": metrics, "NextToken": token}


def _matches(metric: Metric, parameters: Parameters) -> bool:
    dimensions = dict(metric.dimensions)
    return (
        parameters.get("Namespace") in (None, metric.namespace)
        and parameters.get("MetricName") in (None, metric.name)
        and all(
            each["Name"] in dimensions and each.get("Value") in (None, dimensions[each["Name"]])
            for each in parameters.get("Dimensions") or ()
        )
    )


def _metric(parameters: Parameters) -> Metric:
    for part in ("Namespace", "MetricName"):
        if not parameters.get(part):
            raise MissingParameterError(f"The parameter {part} is required.")
    return Metric.of(
        parameters["Namespace"], parameters["MetricName"], parameters.get("Dimensions") or ()
    )


def _range(
    parameters: Parameters, missing: Callable[[str], Exception], invalid: Callable[[str], Exception]
) -> tuple[float, float]:
    for name in ("StartTime", "EndTime"):
        if parameters.get(name) is None:
            raise missing(f"The parameter {name} is required.")
    start, end = float(parameters["StartTime"]), float(parameters["EndTime"])
    if start == end:
        raise invalid("The parameter StartTime must not equal parameter EndTime.")
    if start > end:
        raise invalid("The parameter StartTime must be less than the parameter EndTime.")
    return start, end


def utc(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)
