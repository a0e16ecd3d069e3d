"""GetMetricStatistics and ListMetrics.

Sentences are from the API reference of the operation, as in botocore's service model, or from
the user guide's "Amazon CloudWatch concepts" (Concepts).
"""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud.cloudwatch.errors import (
    CloudWatchError,
    InvalidParameterCombinationError,
    InvalidParameterValueError,
    MissingParameterError,
)
from tests.unit.local_cloud.cloudwatch_world import DAY, HOUR, NOON, World, dimensions


def statistics(world: World, **parameters: Any) -> dict[str, Any]:
    asked = {"Namespace": "Shop", "MetricName": "m", "StartTime": NOON - 300, "EndTime": NOON}
    return world.call("GetMetricStatistics", **{**asked, "Period": 60, **parameters})


def test_get_metric_statistics_as_its_page_shows() -> None:
    """User guide, "Publish single data points": the example output."""
    world = World()
    world.put(*({"Value": value, "Timestamp": NOON - 60 + n} for n, value in enumerate((2, 4, 5))))
    names = ["Sum", "Maximum", "Minimum", "Average", "SampleCount"]
    found = statistics(world, Statistics=names)
    (point,) = found["Datapoints"]
    assert point.pop("Timestamp").timestamp() == NOON - 60
    assert found["Label"] == "m"
    assert point == {
        "SampleCount": 3.0,
        "Average": 3.6666666666666665,
        "Maximum": 5.0,
        "Minimum": 2.0,
        "Sum": 11.0,
        "Unit": "None",
    }


def test_get_metric_statistics_of_percentiles_and_units() -> None:
    """Concepts: "two separate data streams are returned, one for each unit"."""
    world = World()
    world.put(
        {"Values": [1, 2, 3], "Unit": "Seconds", "Timestamp": NOON - 60},
        {"Values": [7, 8, 9], "Unit": "Count", "Timestamp": NOON - 60},
    )
    points = statistics(world, ExtendedStatistics=["p50", "p99"])["Datapoints"]
    assert [(point["Unit"], point["ExtendedStatistics"]) for point in points] == [
        ("Count", {"p50": 8.0, "p99": 9.0}),
        ("Seconds", {"p50": 2.0, "p99": 3.0}),
    ]


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({}, InvalidParameterCombinationError, "either Statistics or ExtendedStatistics"),
        (
            {"Statistics": ["Sum"], "ExtendedStatistics": ["p50"]},
            InvalidParameterCombinationError,
            "not both",
        ),
        ({"Statistics": ["p50"]}, InvalidParameterValueError, "must be a value in the set"),
        ({"ExtendedStatistics": ["Sum"]}, InvalidParameterValueError, "The value Sum"),
        ({"Statistics": ["Sum"], "Period": 7}, InvalidParameterValueError, "multiple of 60"),
        ({"Statistics": ["Sum"], "Period": None}, MissingParameterError, "Period is required"),
        ({"Statistics": ["Sum"], "MetricName": ""}, MissingParameterError, "MetricName"),
        ({"Statistics": ["Sum"], "EndTime": None}, MissingParameterError, "EndTime is required"),
        # cloud-custodian 7683
        (
            {"Statistics": ["Sum"], "StartTime": NOON - DAY, "Period": 1},
            InvalidParameterCombinationError,
            "You have requested up to 86400 datapoints, which exceeds the limit of 1440. You may "
            "reduce the datapoints requested by increasing Period, or decreasing the time range.",
        ),
    ],
)
def test_get_metric_statistics_refuses(
    parameters: dict[str, Any], error: type[CloudWatchError], words: str
) -> None:
    with pytest.raises(error) as refused:
        statistics(World(), **parameters)
    assert words in refused.value.message


def listed(world: World, **parameters: Any) -> list[str]:
    return [each["MetricName"] for each in world.call("ListMetrics", **parameters)["Metrics"]]


def test_list_metrics_filters() -> None:
    """Dimensions: a metric that "has that dimension and also other dimensions" is returned."""
    world = World()
    world.put(
        {"MetricName": "a", "Value": 1, "Dimensions": dimensions(Colour="blue", Instance="i")}
    )
    world.put(
        {"MetricName": "b", "Value": 1, "Dimensions": dimensions(Instance="i", Colour="green")}
    )
    world.put({"MetricName": "c", "Value": 1}, namespace="Other")
    assert listed(world) == ["c", "a", "b"]
    assert listed(world, Namespace="Shop") == ["a", "b"]
    assert listed(world, Dimensions=[{"Name": "Colour"}]) == ["a", "b"]
    assert listed(world, Dimensions=dimensions(Colour="green")) == ["b"]
    assert listed(world, MetricName="a", Dimensions=dimensions(Colour="green")) == []


def test_list_metrics_shows_each_metric_once_and_pages() -> None:
    """The operation: "Up to 500 results are returned for any one call"."""
    world = World()
    for _ in range(2):
        world.put(*({"MetricName": f"m{n:03}", "Value": 1} for n in range(501)))
    first = world.call("ListMetrics")
    second = world.call("ListMetrics", NextToken=first["NextToken"])
    assert (len(first["Metrics"]), len(second["Metrics"]), second["NextToken"]) == (500, 1, None)


def test_list_metrics_forgets_the_silent() -> None:
    """The operation leaves out metrics that "haven't reported data in the past two weeks"."""
    world = World()
    world.put({"MetricName": "a", "Value": 1})
    world.now += 4 * HOUR
    assert listed(world, RecentlyActive="PT3H") == []
    assert listed(world) == ["a"]
    world.now += 14 * DAY
    assert listed(world) == []
    with pytest.raises(InvalidParameterValueError, match="PT3H"):
        listed(world, RecentlyActive="PT1H")
