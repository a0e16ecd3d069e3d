"""Alarm actions: messages to SNS and the history.

Sentences are from the user guide's "Using Amazon CloudWatch alarms" unless another is named.
"""

from __future__ import annotations

import json

from tests.unit.local_cloud.cloudwatch_alarm_world import (
    TOPIC,
    alarm,
    messages,
    put_alarm,
    state,
    tick,
)
from tests.unit.local_cloud.cloudwatch_world import NOON, World, dimensions

MESSAGE = {
    "AlarmName": "high",
    "AlarmDescription": "Too many",
    "AWSAccountId": "123456789012",
    "AlarmConfigurationUpdatedTimestamp": "2026-11-21T12:00:00.000+0000",
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed: 1 out of the last 1 datapoints [6.0 (21/11/26 "
    "12:00:00)] was greater than the threshold (5.0) (minimum 1 datapoint for OK -> ALARM "
    "transition).",
    "StateChangeTime": "2026-11-21T12:01:03.000+0000",
    "Region": "EU (Frankfurt)",
    "AlarmArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:high",
    "OldStateValue": "INSUFFICIENT_DATA",
    "OKActions": [],
    "AlarmActions": [TOPIC],
    "InsufficientDataActions": [],
    "Trigger": {
        "MetricName": "m",
        "Namespace": "Shop",
        "StatisticType": "Statistic",
        "Statistic": "AVERAGE",
        "Unit": None,
        "Dimensions": [{"value": "local", "name": "Environment"}],
        "Period": 60,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 5.0,
        "TreatMissingData": "missing",
        "EvaluateLowSampleCountPercentile": "",
    },
}


def test_the_message_is_the_one_that_aws_sends() -> None:
    """Fields and their forms as in notifications published in public repositories."""
    world = World()
    put_alarm(
        world,
        AlarmDescription="Too many",
        Dimensions=dimensions(Environment="local"),
        DatapointsToAlarm=1,
    )
    world.put({"Value": 6, "Timestamp": NOON, "Dimensions": dimensions(Environment="local")})
    tick(world, NOON + 60)
    ((arn, subject, _),) = world.told
    assert (arn, subject) == (TOPIC, 'ALARM: "high" in EU (Frankfurt)')
    assert messages(world) == [MESSAGE]


def test_actions_happen_on_changes_only_and_can_be_switched_off() -> None:
    """Alarm actions: "the actions happen only on state transitions"."""
    world = World()
    put_alarm(world)
    for minute in range(3):
        world.put({"Value": 9, "Timestamp": NOON + 60 * minute})
        tick(world, NOON + 60 * (minute + 1))
    assert len(world.told) == 1
    world.call("DisableAlarmActions", AlarmNames=["high"])
    assert alarm(world)["ActionsEnabled"] is False
    world.call("SetAlarmState", AlarmName="high", StateValue="OK", StateReason="test")
    world.put({"Value": 9, "Timestamp": NOON + 180})
    tick(world, NOON + 240)
    assert (state(world), len(world.told)) == ("ALARM", 1)
    world.call("EnableAlarmActions", AlarmNames=["high"])
    world.call("SetAlarmState", AlarmName="high", StateValue="OK", StateReason="test")
    tick(world, NOON + 300)
    assert len(world.told) == 2


def test_a_state_set_again_is_no_change() -> None:
    """API SetAlarmState: "When the updated state differs from the previous value, the action"."""
    world = World()
    put_alarm(world, InsufficientDataActions=[TOPIC])
    known = len(world.call("DescribeAlarmHistory")["AlarmHistoryItems"])
    world.now += 5
    again = {"StateValue": "INSUFFICIENT_DATA", "StateReason": "a test"}
    world.call("SetAlarmState", AlarmName="high", **again)
    assert (world.told, alarm(world)["StateReason"]) == ([], "a test")
    assert len(world.call("DescribeAlarmHistory")["AlarmHistoryItems"]) == known
    times = (
        alarm(world)[f"State{kind}Timestamp"].timestamp() for kind in ("Transitioned", "Updated")
    )
    assert list(times) == [NOON, NOON + 5]


def test_a_topic_that_fails_does_not_stop_the_others() -> None:
    world = World()

    def publish(arn: str, subject: str, message: str) -> None:
        if arn.endswith("broken"):
            raise RuntimeError("no such topic")
        world.told.append((arn, subject, message))

    world.cloud.alarms._publish = publish
    lost = "arn:aws:automate:eu-central-1:ec2:stop"
    put_alarm(world, AlarmActions=[f"{TOPIC}-broken", lost, TOPIC])
    world.put({"Value": 9, "Timestamp": NOON})
    tick(world, NOON + 60)
    assert [arn for arn, _, _ in world.told] == [TOPIC]
    history = world.call("DescribeAlarmHistory", HistoryItemType="Action")["AlarmHistoryItems"]
    assert [json.loads(item["HistoryData"])["actionState"] for item in history] == [
        "Succeeded",
        "Failed",
        "Failed",
    ]
    assert "no such topic" in history[2]["HistorySummary"]
    assert "SNS topics only" in history[1]["HistorySummary"]


def test_history_tells_what_happened_newest_first() -> None:
    world = World()
    put_alarm(world)
    world.put({"Value": 9, "Timestamp": NOON})
    tick(world, NOON + 60)
    world.call("DeleteAlarms", AlarmNames=["high"])
    # "CloudWatch retains the history of an alarm even if you delete the alarm"
    items = world.call("DescribeAlarmHistory", AlarmName="high")["AlarmHistoryItems"]
    assert [(item["HistoryItemType"], item["HistorySummary"]) for item in items] == [
        ("ConfigurationUpdate", 'Alarm "high" deleted'),
        ("Action", f"Successfully executed action {TOPIC}"),
        ("StateUpdate", "Alarm updated from INSUFFICIENT_DATA to ALARM"),
        ("ConfigurationUpdate", 'Alarm "high" created'),
    ]
    change = json.loads(items[2]["HistoryData"])
    assert change["oldState"]["stateValue"] == "INSUFFICIENT_DATA"
    assert change["newState"]["stateReasonData"]["recentDatapoints"] == [9.0]
    oldest = world.call("DescribeAlarmHistory", ScanBy="TimestampAscending", MaxRecords=1)
    assert oldest["AlarmHistoryItems"][0]["HistorySummary"] == 'Alarm "high" created'
    rest = world.call(
        "DescribeAlarmHistory", ScanBy="TimestampAscending", NextToken=oldest["NextToken"]
    )
    assert len(rest["AlarmHistoryItems"]) == 3
    since = world.call("DescribeAlarmHistory", StartDate=NOON + 60)["AlarmHistoryItems"]
    assert len(since) == 3
    # "CloudWatch preserves alarm history for two weeks"
    tick(world, NOON + 15 * 24 * 3600)
    assert world.call("DescribeAlarmHistory")["AlarmHistoryItems"] == []
