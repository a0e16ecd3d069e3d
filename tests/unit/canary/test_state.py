"""Lock, live colour, history and other state on moto: the same calls as on AWS."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest
from alarm_recorder.rows import row_of

from canary.environment import AwsStateSettings, parse_environment
from canary.errors import StateError
from canary.state.aws import AwsState
from canary.state.base import Holder, Live, Row
from canary.state.tables import LockTable
from tests.support.tables import make_table
from tests.unit.canary.test_environment import GOOD

pytestmark = pytest.mark.usefixtures("aws")
REGION = "eu-central-1"
NOW = 1_800_000_000.0
MINE = Holder("c1", "me@here", NOW, NOW + 60)
OTHERS = Holder("c2", "you@there", NOW, NOW + 60)
ROW = Row("c1", NOW, NOW + 90, "PASS", 0, "v1 aaa", "v2 bbb", "green", "me", "no harm")


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


def table(name: str, *keys: str) -> Any:
    return make_table(boto3.resource("dynamodb", region_name=REGION), name, *keys)


def state(**changes: Any) -> AwsState:
    document = {**GOOD, "endpoint_url": None, "state": {**GOOD["state"], **changes}}
    environment = parse_environment(document)
    assert isinstance(environment.state, AwsStateSettings)
    return AwsState(environment.state, environment)


@pytest.fixture
def lock() -> LockTable:
    return LockTable(table("lock", "environment"), "local")


def test_a_free_lock_is_taken_once_and_given_back(lock: LockTable) -> None:
    assert lock.holder() is None
    assert lock.take(MINE, None)
    assert lock.holder() == MINE
    assert not lock.take(OTHERS, None)
    lock.free(MINE)
    assert lock.holder() is None


def test_a_lock_is_taken_from_the_holder_that_was_watched_and_no_other(lock: LockTable) -> None:
    lock.take(MINE, None)
    lock.renew(replace(MINE, beat=1))
    assert not lock.take(OTHERS, MINE), "it was renewed since"
    assert not lock.take(OTHERS, replace(OTHERS, canary="c0", beat=1))
    assert lock.take(OTHERS, replace(MINE, beat=1))
    assert lock.holder() == OTHERS


def test_a_lost_lock_is_not_renewed_and_says_who_has_it(lock: LockTable) -> None:
    lock.take(OTHERS, None)
    with pytest.raises(StateError, match="was lost: canary c2 of you@there holds it now"):
        lock.renew(MINE)
    lock.free(MINE)
    assert lock.holder() == OTHERS
    lock.free(OTHERS)
    with pytest.raises(StateError, match="was lost: it is free now"):
        lock.renew(MINE)


def test_history_comes_newest_first_and_whole() -> None:
    table("shop-local-history", "environment", "canary")
    memory = state()
    for name in ("20270101T000000Z-aa", "20270103T000000Z-aa", "20270102T000000Z-aa"):
        memory.remember(replace(ROW, canary=name))
    newest = memory.history(2)
    assert [row.canary[:8] for row in newest] == ["20270103", "20270102"]
    assert newest[0] == replace(ROW, canary="20270103T000000Z-aa")


def test_alarm_changes_are_read_as_the_recorder_wrote_them() -> None:
    rows = table("shop-local-alarms", "environment", "change")
    memory = state(alarm_table="shop-local-alarms")
    assert memory.alarm_changes(5) == []
    for second, new in enumerate(("ALARM", "OK")):
        told = {
            "AlarmName": "ManyCarts",
            "NewStateValue": new,
            "OldStateValue": "INSUFFICIENT_DATA",
            "NewStateReason": f"why {new}",
            "StateChangeTime": f"2026-11-26T11:00:0{second}.000+0000",
        }
        rows.put_item(Item=row_of(json.dumps(told), "m", 0, "local").item)
    newest, before = memory.alarm_changes(5)
    assert (newest.alarm, newest.old, newest.new) == ("ManyCarts", "INSUFFICIENT_DATA", "OK")
    assert before.reason == "why ALARM"
    assert json.loads(before.message)["NewStateValue"] == "ALARM"


def test_without_a_table_of_alarm_changes_the_policy_is_to_be_completed() -> None:
    with pytest.raises(StateError, match="add environment: state: alarm_table"):
        state().alarm_changes(5)


def test_the_live_colour_is_one_of_the_two() -> None:
    memory = state()
    with pytest.raises(StateError, match="parameter /shop/local/live could not be used"):
        memory.live()
    for live in (Live("green"), Live("blue", "1a2b3c4d5e6f")):
        memory.set_live(live)
        assert memory.live() == live
    client("ssm").put_parameter(Name="/shop/local/live", Value="red", Type="String", Overwrite=True)
    with pytest.raises(StateError, match="is 'red'; it must be blue or green"):
        memory.live()


def test_objects_are_found_again_with_their_metadata() -> None:
    bucket = GOOD["state"]["bucket"]
    client("s3").create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    memory = state()
    assert memory.find("releases/x") is None
    memory.store("releases/x", b"body", {"sha256": "a" * 64})
    found = memory.find("releases/x")
    assert found is not None
    assert found.url == f"s3://{bucket}/releases/x"
    assert found.metadata == {"sha256": "a" * 64}


def test_a_bucket_that_is_not_there_is_not_an_absent_object() -> None:
    with pytest.raises(StateError, match="NoSuchBucket"):
        state().store("releases/x", b"", {})


def test_messages_reach_the_topic() -> None:
    topic = client("sns").create_topic(Name="events")["TopicArn"]
    queue = client("sqs").create_queue(QueueName="q")["QueueUrl"]
    client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:123456789012:q"
    )
    state(topic=topic).announce("x" * 300, {"verdict": "FAIL"})
    message = client("sqs").receive_message(QueueUrl=queue)["Messages"][0]
    notice = json.loads(message["Body"])
    assert json.loads(notice["Message"]) == {"verdict": "FAIL"}
    assert len(notice["Subject"]) == 100  # SNS's limit


def test_without_a_topic_nobody_is_told() -> None:
    state().announce("subject", {})


def test_alarms_are_read_and_an_unknown_one_is_named() -> None:
    client("cloudwatch").put_metric_alarm(
        AlarmName="ErrorRate",
        MetricName="errors",
        Namespace="Shop",
        Period=10,
        EvaluationPeriods=1,
        Threshold=1,
        Statistic="Sum",
        ComparisonOperator="GreaterThanThreshold",
    )
    client("cloudwatch").set_alarm_state(
        AlarmName="ErrorRate", StateValue="ALARM", StateReason="test"
    )
    assert state().alarms(["ErrorRate"]) == {"ErrorRate": "ALARM"}
    with pytest.raises(StateError, match="No alarm is named Latency"):
        state().alarms(["ErrorRate", "Latency"])
