"""Composite alarms: rules and states of children.

Sentences are from the API reference of PutCompositeAlarm and SetAlarmState.
"""

from __future__ import annotations

import json

import pytest

from local_cloud.cloudwatch.alarms import rule
from local_cloud.cloudwatch.alarms.condition import StateValue
from local_cloud.cloudwatch.errors import ValidationError
from tests.unit.local_cloud.cloudwatch_alarm_world import (
    TOPIC,
    alarm,
    messages,
    put_alarm,
    state,
    tick,
)
from tests.unit.local_cloud.cloudwatch_world import NOON, World

STATES = {
    "a": StateValue.ALARM,
    "o": StateValue.OK,
    "i": StateValue.INSUFFICIENT_DATA,
    "with space": StateValue.ALARM,
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("ALARM(a)", True),
        ("ALARM(o)", False),
        ("OK(o)", True),
        ("INSUFFICIENT_DATA(i)", True),
        ("INSUFFICIENT_DATA(o)", False),
        ('ALARM("a")', True),
        ("ALARM(with space)", True),
        ('ALARM ( "with space" )', True),
        ("ALARM(arn:aws:cloudwatch:eu-central-1:123456789012:alarm:a)", True),
        ("TRUE", True),
        ("FALSE", False),
        ("NOT FALSE", True),
        ("ALARM(a) AND ALARM(o)", False),
        ("ALARM(a) AND NOT ALARM(o)", True),
        ("ALARM(o) OR ALARM(a)", True),
        ("(ALARM(a) OR ALARM(i)) AND OK(o)", True),
        ("ALARM(a) OR ALARM(o) AND FALSE", True),
        ("(ALARM(a) OR ALARM(o)) AND FALSE", False),
        ("NOT ALARM(a) OR TRUE", True),
        ("NOT (ALARM(a) OR TRUE)", False),
    ],
)
def test_a_rule_holds(text: str, holds: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    assert rule.parse(text).holds(STATES) is holds


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "ALARM", "ALARM()", "ALARM(a", "ALARM(a) ALARM(o)", "AND", "(TRUE", "TRUE)"),
        *("NOT", "ALARM(a) and ALARM(o)", " OR ".join(f"ALARM(a{n})" for n in range(101))),
        "(" * 250 + "TRUE" + ")" * 250,
    ],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(rule.RuleError):
        rule.parse(text)


def put_composite(world: World, name: str, text: str) -> None:
    world.call("PutCompositeAlarm", AlarmName=name, AlarmRule=text, AlarmActions=[TOPIC])


def two_children() -> World:
    world = World()
    for name in ("slow", "deploying"):  # without data they stay as they are set
        put_alarm(world, name, MetricName=name, AlarmActions=[], TreatMissingData="ignore")
    return world


def let(world: World, **states: str) -> None:
    """Set the states of children manually, and evaluate."""
    for name, value in states.items():
        world.call("SetAlarmState", AlarmName=name, StateValue=value, StateReason="a test")
    world.cloud.tick()


def test_a_composite_alarm_follows_its_children() -> None:
    world = two_children()
    put_composite(world, "page", "ALARM(slow) AND NOT ALARM(deploying)")
    assert state(world, "page") == "INSUFFICIENT_DATA"
    let(world)
    assert state(world, "page") == "OK"
    let(world, slow="ALARM")
    assert state(world, "page") == "ALARM"
    let(world, deploying="ALARM")
    assert state(world, "page") == "OK"
    assert [each["NewStateValue"] for each in messages(world)] == ["ALARM"]


def test_its_message_names_what_triggered_it() -> None:
    """As in notifications published in public repositories: AlarmRule and TriggeringChildren."""
    world = two_children()
    put_composite(world, "page", "ALARM(slow) OR ALARM(deploying)")
    let(world)
    world.now = NOON + 5
    let(world, slow="ALARM")
    (message,) = messages(world)
    child = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:slow"
    assert message["AlarmRule"] == "ALARM(slow) OR ALARM(deploying)"
    assert message["TriggeringChildren"] == [
        {"Arn": child, "State": {"Value": "ALARM", "Timestamp": "2026-11-21T12:00:05.000+0000"}}
    ]
    assert message["NewStateReason"] == (
        f"{child} transitioned to ALARM at Saturday 21 November, 2026 12:00:05 UTC"
    )
    assert "Trigger" not in message


def test_composites_of_composites_are_evaluated_in_one_go() -> None:
    world = two_children()
    put_composite(world, "inner", "ALARM(slow)")
    put_composite(world, "all", "ALARM(inner) AND OK(deploying)")
    let(world, slow="ALARM", deploying="OK")
    assert (state(world, "inner"), state(world, "all")) == ("ALARM", "ALARM")


def test_a_cycle_is_not_evaluated() -> None:
    """PutCompositeAlarm: "evaluation [...] stops if CloudWatch detects a cycle"."""
    world = two_children()
    put_composite(world, "x", "ALARM(slow)")
    put_composite(world, "y", "ALARM(x)")
    put_composite(world, "x", "ALARM(y) OR ALARM(slow)")
    let(world, slow="ALARM")
    assert (state(world, "x"), state(world, "y")) == ("INSUFFICIENT_DATA", "INSUFFICIENT_DATA")
    # The simplest way to break a cycle: "change the AlarmRule of one of the alarms to false".
    put_composite(world, "y", "FALSE")
    let(world)
    assert (state(world, "x"), state(world, "y")) == ("ALARM", "OK")


def test_a_composites_state_set_by_hand_lasts_until_a_child_changes() -> None:
    """SetAlarmState: "returns to its actual state only once any of its children [...] change"."""
    world = two_children()
    put_composite(world, "page", "ALARM(slow)")
    let(world)
    world.call("SetAlarmState", AlarmName="page", StateValue="ALARM", StateReason="a test")
    let(world)
    assert state(world, "page") == "ALARM"
    let(world, slow="OK")
    assert state(world, "page") == "OK"


def test_it_goes_off_together_with_the_metric() -> None:
    world = two_children()
    put_composite(world, "page", "ALARM(slow)")
    world.put({"MetricName": "slow", "Value": 9, "Timestamp": NOON})
    tick(world, NOON + 60)
    assert (state(world, "slow"), state(world, "page")) == ("ALARM", "ALARM")
    assert json.loads(alarm(world, "page")["StateReasonData"]) == {"triggeringAlarms": []}


def test_what_it_needs_can_be_neither_unknown_nor_deleted() -> None:
    world = two_children()
    with pytest.raises(ValidationError, match="do not exist: nobody"):
        put_composite(world, "page", "ALARM(slow) OR ALARM(nobody)")
    put_composite(world, "page", "ALARM(slow)")
    with pytest.raises(ValidationError, match="Cannot delete slow as there are composite alarm"):
        world.call("DeleteAlarms", AlarmNames=["slow"])
    world.call("DeleteAlarms", AlarmNames=["slow", "page"])
    assert [each.name for each in world.cloud.alarms.all()] == ["deploying"]


def test_describe_finds_children_and_parents() -> None:
    world = two_children()
    put_composite(world, "page", "ALARM(slow)")
    children = world.call("DescribeAlarms", ChildrenOfAlarmName="page")["MetricAlarms"]
    parents = world.call("DescribeAlarms", ParentsOfAlarmName="slow")["CompositeAlarms"]
    assert [each["AlarmName"] for each in children] == ["slow"]
    assert [each["AlarmName"] for each in parents] == ["page"]
    # AlarmTypes: without it "only metric alarms are returned".
    assert world.call("DescribeAlarms")["CompositeAlarms"] == []
