"""Lock, live colour, history and the rest, on moto: the calls that AWS would get."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest
from alarm_recorder.rows import row_of

from canary.environment import parse_environment
from canary.errors import StateError
from canary.state.aws import AwsState
from canary.state.base import Holder, Row
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
    assert environment.state is not None
    return AwsState(environment.state, environment)


class Clock:
    """A time that a test sets."""

    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lock(clock: Clock) -> LockTable:
    return LockTable(table("lock", "environment"), "local", clock)


def test_a_free_lock_is_taken_and_given_back(lock: LockTable) -> None:
    assert lock.holder() is None
    lock.acquire(MINE)
    assert lock.holder() == MINE
    lock.free(MINE)
    assert lock.holder() is None


def test_a_held_lock_says_who_and_since_when(lock: LockTable) -> None:
    lock.acquire(MINE)
    with pytest.raises(StateError) as refused:
        lock.acquire(OTHERS)
    # date -u -d @1800000000
    assert "Canary c1 runs on local already: me@here, since 2027-01-15 08:00:00 UTC" in str(
        refused.value
    )
    assert lock.holder() == MINE


def test_a_dead_holder_frees_the_lock(lock: LockTable, clock: Clock) -> None:
    lock.acquire(MINE)
    clock.now = NOW + 60
    assert lock.holder() is None
    lock.acquire(replace(OTHERS, until=NOW + 120))
    found = lock.holder()
    assert found is not None
    assert found.canary == "c2"


def test_renewal_moves_the_end_and_is_refused_once_lost(lock: LockTable, clock: Clock) -> None:
    lock.acquire(MINE)
    lock.renew(replace(MINE, until=NOW + 100))
    clock.now = NOW + 99
    assert lock.holder() == replace(MINE, until=NOW + 100)
    clock.now = NOW + 100
    lock.acquire(replace(OTHERS, until=NOW + 200))
    with pytest.raises(StateError, match=r"The lock was lost\. Canary c2"):
        lock.renew(replace(MINE, until=NOW + 300))


def test_nobody_frees_what_is_not_theirs(lock: LockTable) -> None:
    lock.acquire(MINE)
    lock.free(OTHERS)
    assert lock.holder() == MINE


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
    memory.set_live("green")
    assert memory.live() == "green"
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
