"""Validation of PutMetricAlarm, and the response of DescribeAlarms.

Limits are from the API reference of PutMetricAlarm and the user guide's "Common features of
CloudWatch alarms".
"""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud.cloudwatch.errors import (
    InvalidFormatError,
    InvalidParameterValueError,
    ResourceNotFoundError,
    UnknownResourceError,
    ValidationError,
)
from tests.unit.local_cloud.cloudwatch_alarm_world import TOPIC, alarm, put_alarm, put_rate_alarm
from tests.unit.local_cloud.cloudwatch_world import World, dimensions, metric_query

NOT_OF_A_METRIC = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))


def of_math(*metrics: dict[str, Any]) -> dict[str, Any]:
    return {**NOT_OF_A_METRIC, "Metrics": list(metrics)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"AlarmName": ""}, "AlarmName is required"),
        ({"AlarmName": "n" * 256}, "shorter than 256"),
        ({"AlarmDescription": "n" * 1025}, "shorter than 1025"),
        ({"AlarmActions": [TOPIC] * 6}, "must not have a size greater than 5."),
        ({"OKActions": ["shop-local-events"]}, "Invalid arn syntax: shop-local-events"),
        ({"ComparisonOperator": "Above"}, "must be one of GreaterThanOrEqualToThreshold"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "must be one of"),
        ({"Threshold": None}, "Threshold is required"),
        ({"EvaluationPeriods": None}, "EvaluationPeriods is required"),
        ({"EvaluationPeriods": 0}, "EvaluationPeriods is required, and at least 1"),
        ({"EvaluationPeriods": 3, "DatapointsToAlarm": 4}, "at most EvaluationPeriods (3), not 4"),
        ({"DatapointsToAlarm": 0}, "at least 1"),
        ({"TreatMissingData": "good"}, "must be one of missing, ignore, breaching, notBreaching"),
        ({"EvaluateLowSampleCountPercentile": "no"}, "must be evaluate or ignore"),
        ({"Statistic": None}, "Exactly one of Statistic and ExtendedStatistic"),
        ({"ExtendedStatistic": "p99"}, "Exactly one of Statistic and ExtendedStatistic"),
        ({"Statistic": "p99"}, "p99 for Statistic is not one"),
        ({"Statistic": None, "ExtendedStatistic": "Sum"}, "Sum for ExtendedStatistic is not one"),
        ({"Namespace": None}, "Namespace is required"),
        ({"MetricName": None}, "Exactly one of MetricName and Metrics"),
        ({"Unit": "Parsec"}, "must be a value in the set"),
        # "Valid values are 10, 20, 30, and any multiple of 60"
        *(({"Period": period}, "Period must be 10, 20, 30") for period in (None, 1, 5, 7, 90)),
        # Period: below an hour the whole "can't be longer than one day (86,400 seconds)".
        ({"Period": 60, "EvaluationPeriods": 1441}, "more than a day"),
        # "can be no longer than seven days"
        ({"Period": 3600, "EvaluationPeriods": 169}, "more than seven days"),
        ({"ThresholdMetricId": "band"}, "not part of the local cloud"),
        ({"EvaluationWindow": {"Sliding": {}}}, "not part of the local cloud"),
        # MetricName: with math "you cannot specify this parameter, or any of the Namespace, ...".
        ({**of_math(metric_query("q")), "Period": 60}, "Period must not be specified together"),
        (of_math(metric_query("q", wanted=False)), "Exactly one element of the metrics list"),
        (of_math(metric_query("a"), metric_query("b")), "Exactly one element of the metrics list"),
        # "A math expression used for an alarm can include as many as 10 metrics. Each metric must
        # be using the same period."
        (
            of_math(metric_query("m"), *(metric_query(f"m{n}", wanted=False) for n in range(10))),
            "at most 10 metrics",
        ),
        (of_math(metric_query("a"), metric_query("b", period=300, wanted=False)), "same period"),
        # "You can't create an alarm based on a SEARCH expression"
        (of_math({"Id": "e", "Expression": "SEARCH('m', 'Sum', 60)"}), "SEARCH is not supported"),
        (of_math({"Id": "e", "Expression": "nope + 1", "Period": 60}), "no query with the id"),
        (of_math({"Id": "e", "Expression": "5", "Period": 60}), "not a time series"),
        (of_math({"Id": "e", "Expression": "5 +", "Period": 60}), "Unexpected end"),
    ],
)
def test_put_metric_alarm_refuses(changes: dict[str, Any], words: str) -> None:
    world = World()
    with pytest.raises(ValidationError) as refused:
        put_alarm(world, **{"name": "x", **changes})
    assert words in refused.value.message
    assert world.cloud.alarms.all() == []


@pytest.mark.parametrize(
    "changes",
    [
        *({"Period": period} for period in (10, 20, 30, 60, 300)),
        {"Period": 60, "EvaluationPeriods": 1440},
        {"Period": 3600, "EvaluationPeriods": 168},
        {"EvaluationPeriods": 3, "DatapointsToAlarm": 3},
        {"AlarmActions": [TOPIC] * 5},
        {"Statistic": None, "ExtendedStatistic": "TM(10%:90%)"},
    ],
)
def test_the_limits_themselves_are_accepted(changes: dict[str, Any]) -> None:
    put_alarm(World(), **changes)


def test_describe_answers_what_was_put() -> None:
    """Tools compare this response: it has exactly the given parameters, and empty lists too."""
    world = World()
    put_alarm(world, Dimensions=dimensions(b="1", a="2"), DatapointsToAlarm=1)
    described = alarm(world)
    of_state = {key for key in described if key.startswith(("State", "AlarmA"))}
    assert {key: described[key] for key in described.keys() - of_state} == {
        "AlarmName": "high",
        "AlarmConfigurationUpdatedTimestamp": described["AlarmConfigurationUpdatedTimestamp"],
        "ActionsEnabled": True,
        "OKActions": [],
        "InsufficientDataActions": [],
        "MetricName": "m",
        "Namespace": "Shop",
        "Statistic": "Average",
        "Dimensions": [{"Name": "b", "Value": "1"}, {"Name": "a", "Value": "2"}],
        "Period": 60,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    assert described["AlarmActions"] == [TOPIC]


def names(world: World, **parameters: Any) -> list[str]:
    return [
        each["AlarmName"] for each in world.call("DescribeAlarms", **parameters)["MetricAlarms"]
    ]


def test_describe_filters_and_pages() -> None:
    world = World()
    for name in ("shop-b", "shop-a", "other"):
        put_alarm(world, name, AlarmActions=[TOPIC] if name == "other" else [])
    world.call("SetAlarmState", AlarmName="shop-a", StateValue="ALARM", StateReason="a test")
    assert names(world) == ["other", "shop-a", "shop-b"]
    assert names(world, AlarmNames=["shop-a", "nobody"]) == ["shop-a"]
    assert names(world, AlarmNamePrefix="shop") == ["shop-a", "shop-b"]
    assert names(world, StateValue="ALARM") == ["shop-a"]
    assert names(world, ActionPrefix="arn:aws:sns") == ["other"]
    first = world.call("DescribeAlarms", MaxRecords=2)
    assert names(world, MaxRecords=2, NextToken=first["NextToken"]) == ["shop-b"]
    with pytest.raises(ValidationError, match="must be 1 to 100, not 101"):
        names(world, MaxRecords=101)
    with pytest.raises(ValidationError, match="must not be specified together"):
        names(world, AlarmNames=["a"], AlarmNamePrefix="a")


def test_describe_alarms_for_metric() -> None:
    """The operation "does not return alarms based on math expressions"."""
    world = World()
    blue = dimensions(Colour="blue", Instance="i")
    put_alarm(world, "blue", Dimensions=blue)
    put_alarm(world, "none")
    put_rate_alarm(world)

    def found(**parameters: Any) -> list[str]:
        asked = {"Namespace": "Shop", "MetricName": "m", **parameters}
        answer = world.call("DescribeAlarmsForMetric", **asked)
        return [each["AlarmName"] for each in answer["MetricAlarms"]]

    assert found() == ["none"]
    assert found(Dimensions=blue[::-1]) == ["blue"]
    assert found(Dimensions=blue, Period=60, Statistic="Average") == ["blue"]
    assert found(Dimensions=blue, Period=300) == []
    assert found(MetricName="errors") == []


def test_what_is_not_there() -> None:
    world = World()
    put_alarm(world)
    with pytest.raises(ResourceNotFoundError, match="Alarm nobody does not exist"):
        world.call("SetAlarmState", AlarmName="nobody", StateValue="OK", StateReason="")
    with pytest.raises(ResourceNotFoundError, match="nobody"):
        world.call("DeleteAlarms", AlarmNames=["nobody", "high"])
    # "If you specify any incorrect alarm names, the alarms [...] with correct names are still
    # deleted"
    assert world.cloud.alarms.all() == []
    with pytest.raises(UnknownResourceError, match="There is no alarm"):
        world.call("ListTagsForResource", ResourceARN="arn:aws:cloudwatch:::alarm:nobody")


def test_set_alarm_state_refuses() -> None:
    world = World()
    put_alarm(world)
    with pytest.raises(ValidationError, match="GOOD for StateValue must be one of OK, ALARM"):
        world.call("SetAlarmState", AlarmName="high", StateValue="GOOD", StateReason="")
    with pytest.raises(InvalidFormatError, match="StateReasonData was not valid JSON"):
        world.call(
            "SetAlarmState",
            AlarmName="high",
            StateValue="OK",
            StateReason="",
            StateReasonData="{",
        )


def test_tags() -> None:
    world = World()
    put_alarm(world, Tags=[{"Key": "Project", "Value": "shop"}])
    arn = alarm(world)["AlarmArn"]
    world.call("TagResource", ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"}])
    world.call("UntagResource", ResourceARN=arn, TagKeys=["Project"])
    tags = world.call("ListTagsForResource", ResourceARN=arn)["Tags"]
    assert tags == [{"Key": "a", "Value": "1"}]
    many = [{"Key": f"k{n}", "Value": ""} for n in range(50)]
    with pytest.raises(InvalidParameterValueError, match="50 tags, not 51"):
        world.call("TagResource", ResourceARN=arn, Tags=many)


def test_a_name_is_of_one_kind() -> None:
    world = World()
    put_alarm(world)
    with pytest.raises(ValidationError, match="exists already, as a metric alarm"):
        world.call("PutCompositeAlarm", AlarmName="high", AlarmRule="TRUE")
