"""Alarms over time: creation, evaluation, reload.

Sentences are from the user guide's "Using Amazon CloudWatch alarms" unless another is named.
"""

from __future__ import annotations

import json

import pytest

from tests.unit.local_cloud.cloudwatch_alarm_world import (
    TOPIC,
    alarm,
    messages,
    put_alarm,
    put_rate_alarm,
    state,
    tick,
)
from tests.unit.local_cloud.cloudwatch_world import NOON, World

FINE = {"StorageResolution": 1}


def test_a_new_alarm_knows_nothing_yet() -> None:
    """API PutMetricAlarm: "the alarm state is immediately set to INSUFFICIENT_DATA"."""
    world = World()
    put_alarm(world)
    assert state(world) == "INSUFFICIENT_DATA"
    assert alarm(world)["StateReason"] == "Unchecked: Initial alarm creation"
    assert world.told == []


def test_an_alarm_goes_off_and_comes_back() -> None:
    world = World()
    put_alarm(world, OKActions=[TOPIC])
    for minute, value in enumerate([1, 9, 9, 2]):
        world.put({"Value": value, "Timestamp": NOON + 60 * minute})
        tick(world, NOON + 60 * (minute + 1))
    assert [(each["OldStateValue"], each["NewStateValue"]) for each in messages(world)] == [
        ("INSUFFICIENT_DATA", "OK"),
        ("OK", "ALARM"),
        ("ALARM", "OK"),
    ]


def test_what_was_published_before_the_alarm_counts() -> None:
    """Evaluating: "retrieves the most recent data points from before the alarm was created"."""
    world = World()
    world.put({"Value": 9, "Timestamp": NOON - 60})
    put_alarm(world)
    tick(world, NOON)
    assert state(world) == "ALARM"


def test_a_period_of_minutes_is_evaluated_every_minute_over_the_minutes_gone_by() -> None:
    """Evaluating: "at the end of minute 6, [...] the data from minutes 2 to 6"."""
    world = World()
    put_alarm(world, Period=300, Statistic="Sum")
    world.put({"Value": 9, "Timestamp": NOON})
    seen = []
    for minute in range(1, 8):
        tick(world, NOON + 60 * minute)
        seen.append(alarm(world)["StateReason"])
    assert state(world) == "ALARM"
    assert "[9.0 (21/11/26 11:56:00)]" in seen[0]
    world.put({"Value": 1, "Timestamp": NOON + 420})
    tick(world, NOON + 480)
    assert "[1.0 (21/11/26 12:03:00)]" in alarm(world)["StateReason"]


@pytest.mark.parametrize(("period", "step"), [(10, 10), (20, 10), (30, 10), (60, 60), (300, 60)])
def test_how_often_an_alarm_is_evaluated(period: int, step: int) -> None:
    """Evaluating: "10 seconds or 30 seconds [...] every 10 seconds", else "every minute"."""
    world = World()
    put_alarm(world, Period=period, Statistic="Sum", ComparisonOperator="GreaterThanThreshold")
    tick(world, NOON)
    world.put({"Value": 9, "Timestamp": NOON - 1, **FINE})
    for second in range(1, 61):
        tick(world, NOON + second)
        if state(world) == "ALARM":
            break
    assert second == step


def test_data_that_arrives_while_it_settles_still_counts() -> None:
    world = World(now=NOON)
    put_alarm(world, Period=10, TreatMissingData="breaching")
    world.now = NOON + 0.5
    world.cloud.tick()
    world.put({"Value": 1, "Timestamp": NOON - 10, **FINE})
    tick(world, NOON)
    assert state(world) == "OK"


def test_m_out_of_n() -> None:
    world = World()
    put_alarm(world, EvaluationPeriods=5, DatapointsToAlarm=3)
    seen = []
    for minute, value in enumerate([9, 1, 9, 1, 9, 1, 1]):
        world.put({"Value": value, "Timestamp": NOON + 60 * minute})
        tick(world, NOON + 60 * (minute + 1))
        seen.append(state(world))
    assert seen == ["OK", "OK", "OK", "OK", "ALARM", "OK", "OK"]


@pytest.mark.parametrize(
    ("treatment", "expected"),
    [
        ("missing", ["OK", "OK", "OK", "INSUFFICIENT_DATA"]),
        ("ignore", ["OK", "OK", "OK", "OK"]),
        ("breaching", ["OK", "OK", "OK", "ALARM"]),
        ("notBreaching", ["OK", "OK", "OK", "OK"]),
        (None, ["OK", "OK", "OK", "INSUFFICIENT_DATA"]),  # "The default behavior is missing"
    ],
)
def test_data_that_stops(treatment: str | None, expected: list[str]) -> None:
    """1 of 1 reads two more periods, so missing data show in the fourth."""
    world = World()
    put_alarm(world, TreatMissingData=treatment)
    world.put({"Value": 1, "Timestamp": NOON})
    seen = []
    for minute in range(1, 5):
        tick(world, NOON + 60 * minute)
        seen.append(state(world))
    assert seen == expected


def test_an_extended_statistic() -> None:
    world = World()
    put_alarm(world, Statistic=None, ExtendedStatistic="p90")
    world.put({"Values": [1.0, 9.0], "Counts": [90.0, 10.0], "Timestamp": NOON})
    tick(world, NOON + 60)
    assert state(world) == "OK"
    world.put({"Values": [1.0, 9.0], "Counts": [89.0, 11.0], "Timestamp": NOON + 60})
    tick(world, NOON + 120)
    assert state(world) == "ALARM"
    data = json.loads(alarm(world)["StateReasonData"])
    assert data["statistic"] == "p90"
    assert data["evaluatedDatapoints"] == [
        {"timestamp": "2026-11-21T12:01:00.000+0000", "sampleCount": 100.0, "value": 9.0}
    ]


@pytest.mark.parametrize(
    ("percentile", "samples", "treatment", "expected"),
    [
        # "fewer than 10/(1-percentile) data points [...]. For example, this setting would be used
        # if there were fewer than 1000 samples for an alarm on a p99 percentile."
        ("p99", 999, "ignore", "INSUFFICIENT_DATA"),
        ("p99", 1000, "ignore", "ALARM"),
        ("p99", 999, "evaluate", "ALARM"),
        ("p99", 999, None, "ALARM"),
        ("p50", 19, "ignore", "INSUFFICIENT_DATA"),
        ("p50", 20, "ignore", "ALARM"),
        # Below the median it is "fewer than 10/percentile data points".
        ("p10", 99, "ignore", "INSUFFICIENT_DATA"),
        ("p10", 100, "ignore", "ALARM"),
    ],
)
def test_percentiles_of_few_samples(
    percentile: str, samples: int, treatment: str | None, expected: str
) -> None:
    world = World()
    put_alarm(
        world,
        Statistic=None,
        ExtendedStatistic=percentile,
        EvaluateLowSampleCountPercentile=treatment,
    )
    world.put({"Values": [9.0], "Counts": [float(samples)], "Timestamp": NOON})
    tick(world, NOON + 60)
    assert state(world) == expected


def test_an_alarm_on_metric_math() -> None:
    world = World()
    put_rate_alarm(world)
    for minute, errors in enumerate([5, 6]):
        for name, value in (("requests", 100), ("errors", errors)):
            world.put({"MetricName": name, "Value": value, "Timestamp": NOON + 60 * minute})
        tick(world, NOON + 60 * (minute + 1))
    assert state(world, "rate") == "ALARM"
    (trigger,) = [each["Trigger"] for each in messages(world)]
    assert (trigger["Period"], len(trigger["Metrics"]), trigger["Threshold"]) == (60, 3, 5.0)
    assert "MetricName" not in trigger


def test_a_state_set_by_hand_lasts_until_the_next_comparison() -> None:
    """Common features: the change "lasts only until the next alarm comparison occurs"."""
    world = World()
    put_alarm(world)
    world.put({"Value": 1, "Timestamp": NOON}, {"Value": 1, "Timestamp": NOON + 60})
    tick(world, NOON + 60)
    world.call("SetAlarmState", AlarmName="high", StateValue="ALARM", StateReason="a test")
    tick(world, NOON + 119)
    assert (state(world), alarm(world)["StateReason"]) == ("ALARM", "a test")
    assert [each["NewStateReason"] for each in messages(world)] == ["a test"]
    tick(world, NOON + 120)
    assert state(world) == "OK"


def test_an_update_keeps_the_state_and_replaces_the_rest() -> None:
    """API PutMetricAlarm: "its state is left unchanged, but the update completely overwrites"."""
    world = World()
    put_alarm(world, AlarmDescription="first", Tags=[{"Key": "a", "Value": "1"}])
    world.put({"Value": 9, "Timestamp": NOON})
    tick(world, NOON + 60)
    put_alarm(world, Threshold=50, Tags=[{"Key": "a", "Value": "2"}])
    assert state(world) == "ALARM"
    assert "AlarmDescription" not in alarm(world)
    tags = world.call("ListTagsForResource", ResourceARN=alarm(world)["AlarmArn"])["Tags"]
    assert tags == [{"Key": "a", "Value": "1"}]  # "any tags you specify [...] are ignored"
    tick(world, NOON + 61)
    assert state(world) == "OK"


def test_an_alarm_whose_metrics_cannot_be_read_keeps_its_state(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    put_rate_alarm(world)
    put_alarm(world)
    broken = world.cloud.alarms.get("rate")
    broken.parameters["Metrics"][2]["Expression"] = "nope"
    world.put({"Value": 9, "Timestamp": NOON})
    tick(world, NOON + 60)
    assert (state(world, "rate"), state(world)) == ("INSUFFICIENT_DATA", "ALARM")
    assert "rate keeps its state" in caplog.text
