"""Helpers for alarm tests: create an alarm, advance the clock, read the state."""

from __future__ import annotations

import json
from typing import Any

from local_cloud.cloudwatch.alarms.watch import SETTLING
from tests.unit.local_cloud.cloudwatch_world import World, metric_query

TOPIC = "arn:aws:sns:eu-central-1:123456789012:shop-local-events"


def put_alarm(world: World, name: str = "high", **changes: Any) -> None:
    parameters: dict[str, Any] = {
        "AlarmName": name,
        "Namespace": "Shop",
        "MetricName": "m",
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": [TOPIC],
        **changes,
    }
    given = {key: value for key, value in parameters.items() if value is not None}
    world.call("PutMetricAlarm", **given)


def tick(world: World, now: float) -> None:
    """Set the clock to a time at which all data up to ``now`` have arrived."""
    world.now = now + SETTLING
    world.cloud.tick()


def alarm(world: World, name: str = "high") -> dict[str, Any]:
    found = world.call(
        "DescribeAlarms", AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    (described,) = found["MetricAlarms"] + found["CompositeAlarms"]
    return dict(described)


def state(world: World, name: str = "high") -> str:
    return str(alarm(world, name)["StateValue"])


def messages(world: World) -> list[dict[str, Any]]:
    return [json.loads(message) for _, _, message in world.told]


def put_rate_alarm(world: World, **changes: Any) -> None:
    metrics = [
        metric_query("errors", name="errors", wanted=False),
        metric_query("requests", name="requests", wanted=False),
        {"Id": "rate", "Expression": "100 * errors / requests", "ReturnData": True},
    ]
    no_metric = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))
    put_alarm(world, "rate", Metrics=metrics, **{**no_metric, **changes})
