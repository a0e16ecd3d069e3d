"""Errors and limits of GetMetricData and PutMetricData.

Limits are from the API reference of the operations, as in botocore's service model. Error messages
are those of AWS if a public issue quotes them; comments name the issue.
"""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud.cloudwatch.errors import (
    CloudWatchError,
    InvalidParameterCombinationError,
    InvalidParameterValueError,
    MissingParameterError,
    ValidationError,
)
from tests.unit.local_cloud.cloudwatch_world import DAY, HOUR, NOON, World, dimensions, metric_query


def ask(world: World, **parameters: Any) -> dict[str, Any]:
    asked = {"StartTime": NOON - 300, "EndTime": NOON, **parameters}
    return world.call("GetMetricData", **{"MetricDataQueries": [metric_query("q")], **asked})


BAD_ID = "is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."  # influxdata/telegraf 5420
NOT_A_STAT = "MetricStat.Stat is not a valid statistic."  # yet-another-cloudwatch-exporter 385


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"MetricDataQueries": []}, "The parameter MetricDataQueries is required."),
        (
            {"MetricDataQueries": [metric_query(f"q{n}") for n in range(501)]},
            "The collection MetricDataQueries must not have a size greater than 500.",
        ),
        ({"MetricDataQueries": [metric_query("5xx")]}, f"member.1.Id {BAD_ID}"),
        ({"MetricDataQueries": [metric_query("Q")]}, f"member.1.Id {BAD_ID}"),
        ({"MetricDataQueries": [metric_query("q", "p101")]}, NOT_A_STAT),
        ({"MetricDataQueries": [metric_query("q", "None")]}, NOT_A_STAT),
        ({"MetricDataQueries": [metric_query("q", period=7)]}, "The value 7 for parameter"),
        ({"MetricDataQueries": [metric_query("q", period=90)]}, "or a multiple of 60"),
        ({"MetricDataQueries": [metric_query("q", period=0)]}, "or a multiple of 60"),
        ({"MetricDataQueries": [metric_query("q"), metric_query("q")]}, "more than one query"),
        ({"MetricDataQueries": [{"Id": "q"}]}, "member.1.MetricStat is required"),
        (
            {"MetricDataQueries": [{**metric_query("q"), "Expression": "1"}]},
            "mutually exclusive and you have specified both.",
        ),
        ({"MetricDataQueries": [metric_query("q", unit="Parsec")]}, "must be a value in the set"),
        (
            {
                "MetricDataQueries": [
                    metric_query("q", dimensions=dimensions(**{f"d{n}": "x" for n in range(31)}))
                ]
            },
            "must not have a size greater than 30.",
        ),
        ({"MetricDataQueries": [{"Id": "q", "Expression": "SELECT 1"}]}, "Metrics Insights"),
        # elastic/beats 32687
        ({"StartTime": NOON}, "The parameter StartTime must not equal parameter EndTime."),
        ({"StartTime": NOON + 1}, "StartTime must be less than the parameter EndTime."),
        ({"StartTime": None}, "The parameter StartTime is required."),
        ({"MaxDatapoints": 100_801}, "must be 1 to 100800"),
        ({"MaxDatapoints": -1}, "must be 1 to 100800"),
    ],
)
def test_get_metric_data_refuses(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ask(World(), **parameters)
    assert words in refused.value.message


def test_every_fault_of_a_request_is_told_at_once() -> None:
    """yet-another-cloudwatch-exporter 385 shows one line for each invalid query."""
    queries = [metric_query(f"q{n}", "p101") for n in range(3)]
    with pytest.raises(ValidationError) as refused:
        ask(World(), MetricDataQueries=queries)
    assert refused.value.message.count("\n") == 2


def datum(**changes: Any) -> dict[str, Any]:
    return {"MetricName": "m", "Value": 1.0, **changes}


TOO_SMALL_AND_TOO_LARGE = [2.0**360 * 1.01, -(2.0**360) * 1.01]


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        ([datum()] * 1001, InvalidParameterValueError, "The collection MetricData must not have"),
        ([], MissingParameterError, "The parameter MetricData is required."),
        ([datum(MetricName="")], MissingParameterError, "member.1.MetricName is required"),
        ([datum(MetricName="m" * 256)], InvalidParameterValueError, "shorter than 256 characters"),
        # AdRoll/goamz 301
        ([{"MetricName": "m"}], InvalidParameterCombinationError, "At least one of the parameters"),
        (
            [datum(Values=[1.0])],
            InvalidParameterCombinationError,
            "Value and MetricData.member.1.Values are mutually exclusive",
        ),
        ([datum(Value=None, Values=[1.0] * 151)], InvalidParameterValueError, "greater than 150"),
        (
            [datum(Value=None, Values=[1.0], Counts=[1.0, 2.0])],
            InvalidParameterValueError,
            "same size",
        ),
        (
            [datum(Value=None, Values=[1.0], Counts=[-1.0])],
            InvalidParameterValueError,
            "The value -1.0",
        ),
        ([datum(Value="NaN")], InvalidParameterValueError, "The value NaN for parameter"),
        (
            [datum(Value=float("inf"))],
            InvalidParameterValueError,
            "MetricData.member.1.Value is invalid",
        ),
        ([datum(Value=None, Values=[float("nan")])], InvalidParameterValueError, "Values.member.1"),
        *(
            ([datum(Value=value)], InvalidParameterValueError, "is invalid")
            for value in TOO_SMALL_AND_TOO_LARGE
        ),
        (
            [datum(Dimensions=dimensions(**{f"d{n}": "x" for n in range(31)}))],
            InvalidParameterValueError,
            "Dimensions must not have a size greater than 30.",
        ),
        ([datum(Dimensions=[{"Name": "a"}])], MissingParameterError, "Dimensions.member.1.Value"),
        # aws/amazon-cloudwatch-agent 240, when the limit was 256
        (
            [datum(Dimensions=dimensions(a="x" * 1025))],
            InvalidParameterValueError,
            "shorter than 1025",
        ),
        # cloud-custodian 2559
        (
            [datum(Timestamp=NOON - 14 * DAY - 1)],
            InvalidParameterValueError,
            "MetricData.member.1.Timestamp must specify a time within the past two weeks.",
        ),
        (
            [datum(Timestamp=NOON + 2 * HOUR + 1)],
            InvalidParameterValueError,
            "two hours in the future",
        ),
        ([datum(StorageResolution=5)], InvalidParameterValueError, "It must be 1 or 60."),
        ([datum(Unit="Parsec")], InvalidParameterValueError, "must be a value in the set"),
        (
            [datum(Value=None, StatisticValues={"Sum": 1, "Minimum": 1, "Maximum": 1})],
            MissingParameterError,
            "StatisticValues.SampleCount is required",
        ),
        (
            [
                datum(
                    Value=None,
                    StatisticValues={"SampleCount": 1, "Sum": 1, "Minimum": 2, "Maximum": 1},
                )
            ],
            InvalidParameterValueError,
            "greater than or equal to",
        ),
    ],
)
def test_put_metric_data_refuses(
    data: list[dict[str, Any]], error: type[CloudWatchError], words: str
) -> None:
    world = World()
    with pytest.raises(error) as refused:
        world.call("PutMetricData", Namespace="Shop", MetricData=data)
    assert words in refused.value.message
    assert len(world.cloud.metrics) == 0


# boto/boto3 1847 for AWS/
@pytest.mark.parametrize("namespace", ["AWS/", "AWS/EC2", ":x", "n" * 256])
def test_put_metric_data_refuses_a_namespace(namespace: str) -> None:
    with pytest.raises(
        InvalidParameterValueError, match=f"{namespace} for parameter Namespace is invalid"
    ):
        World().call("PutMetricData", Namespace=namespace, MetricData=[datum()])


def test_one_bad_datum_refuses_all() -> None:
    """StrictEntityValidation: "Validation errors in the metric data will fail the entire..."."""
    world = World()
    with pytest.raises(InvalidParameterValueError, match=r"member\.3\.Value"):
        world.put(datum(), datum(), datum(Value="NaN"))
    assert len(world.cloud.metrics) == 0


def test_the_limits_themselves_are_accepted() -> None:
    world = World()
    edge = datum(
        Dimensions=dimensions(**{f"d{n}": "x" for n in range(30)}), Timestamp=NOON + 2 * HOUR
    )
    world.put(
        datum(Value=2.0**360), datum(Value=-(2.0**360)), datum(Timestamp=NOON - 14 * DAY), edge
    )
    world.put(datum(Value=None, Values=[float(n) for n in range(150)]), *[datum()] * 999)
    assert len(world.cloud.metrics) == 4 + 150 + 999
