"""A message gives one record, however often it arrives; none is lost or blocks others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from alarm_recorder.recorder import Recorder, Settings
from alarm_recorder.rows import Table, row_of
from botocore.exceptions import ClientError

from canary.state.tables import HistoryTable
from tests.support.tables import make_table

pytestmark = pytest.mark.usefixtures("aws")
ALARM = {
    "AlarmName": "shop-local-ManyCarts",
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed: 3 datapoints were greater than the threshold (5.0).",
    "StateChangeTime": "2026-11-26T11:00:20.000+0000",
    "OldStateValue": "OK",
}
VERDICT = {
    "canary": "20261126T110000Z-ab12",
    "verdict": "FAIL",
    "exit_status": 1,
    "reason": "errors: 26 % of requests",
    "live": "green",
    "started": 1_795_690_800.25,
    "ended": 1_795_690_860.5,
    "baseline": "v1 aaa",
    "candidate": "v2 bbb",
}
SETTINGS = Settings("local", "events", {"alarms": "alarms", "canaries": "canaries"})


def notified(told: dict[str, Any], message_id: str = "m-1") -> str:
    """Wrap a message like SNS does for a queue."""
    envelope = {
        "Type": "Notification",
        "MessageId": message_id,
        "Subject": "a subject",
        "Timestamp": "2026-11-26T11:00:21.123Z",
        "Message": json.dumps(told),
    }
    return json.dumps(envelope)


def test_an_alarm_change_is_kept_with_its_whole_message() -> None:
    row = row_of(notified(ALARM), "q-1", 0, "local")
    assert row.table == "alarms"
    assert row.item == {
        "environment": "local",
        "change": "2026-11-26T11:00:20.000+0000#shop-local-ManyCarts#ALARM",
        "time": "2026-11-26T11:00:20.000+0000",
        "alarm": "shop-local-ManyCarts",
        "old": "OK",
        "new": "ALARM",
        "reason": ALARM["NewStateReason"],
        "message": json.dumps(ALARM),
    }


def test_a_change_that_sns_sends_twice_is_one_row() -> None:
    first = row_of(notified(ALARM, "m-1"), "q-1", 0, "local")
    again = row_of(notified(ALARM, "m-2"), "q-2", 9, "local")
    assert first == again


def test_changes_sort_by_time() -> None:
    later = {**ALARM, "StateChangeTime": "2026-11-26T11:01:00.000+0000", "AlarmName": "a"}
    rows = [row_of(notified(told), "q", 0, "local") for told in (later, ALARM)]
    assert sorted(row.item["change"] for row in rows)[0].endswith("ManyCarts#ALARM")


@pytest.mark.parametrize(
    ("body", "change"),
    [
        (notified({"hello": "you"}), "2026-11-26T11:00:21.123Z#m-1"),
        ("no JSON", "2026-11-26T11:00:00+00:00#q-1"),
        ("[1]", "2026-11-26T11:00:00+00:00#q-1"),
    ],
)
def test_a_message_that_nobody_knows_is_kept_too(body: str, change: str) -> None:
    row = row_of(body, "q-1", 1_795_690_800, "local")
    assert (row.table, row.item["change"]) == ("alarms", change)
    assert row.item["message"] in body.replace("\\", "")


@dataclass
class Message:
    body: str
    message_id: str = "q-1"
    receipt_handle: str = "r-1"
    attributes: dict[str, str] = field(default_factory=lambda: {"SentTimestamp": "1795690800000"})


@dataclass
class Queue:
    """Returns the same messages until they are deleted."""

    messages: list[Message]

    def receive_messages(self, **_: Any) -> Sequence[Message]:
        return list(self.messages)

    def delete_messages(self, *, Entries: list[dict[str, str]]) -> None:  # noqa: N803
        gone = {entry["ReceiptHandle"] for entry in Entries}
        self.messages = [each for each in self.messages if each.receipt_handle not in gone]


class Broken:
    """A table that rejects all writes."""

    def put_item(self, **_: Any) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "PutItem")


@pytest.fixture
def tables() -> dict[Table, Any]:
    dynamodb = boto3.resource("dynamodb", region_name="eu-central-1")
    keys: dict[Table, str] = {"alarms": "change", "canaries": "canary"}
    return {table: make_table(dynamodb, table, "environment", key) for table, key in keys.items()}


def test_a_message_is_deleted_once_its_row_is_there(tables: dict[Table, Any]) -> None:
    queue = Queue([Message(notified(ALARM)), Message("no JSON", "q-2", "r-2")])
    assert Recorder(SETTINGS, queue, tables).take() == 2
    assert queue.messages == []
    assert len(tables["alarms"].scan()["Items"]) == 2


def test_a_message_whose_row_was_not_written_stays(tables: dict[Table, Any]) -> None:
    """It does not block other messages."""
    verdict = Message(notified(VERDICT), "q-2", "r-2")
    queue = Queue([Message(notified(ALARM)), verdict])
    recorder = Recorder(SETTINGS, queue, {**tables, "alarms": Broken()})
    assert recorder.take() == 1
    assert [each.message_id for each in queue.messages] == ["q-1"]
    assert len(tables["canaries"].scan()["Items"]) == 1


def test_a_message_that_comes_again_changes_nothing(tables: dict[Table, Any]) -> None:
    """This happens after a kill -9 between the write and the deletion."""
    first = Message(notified(ALARM))
    Recorder(SETTINGS, Queue([first]), tables).take()
    again = Queue([Message(notified({**ALARM, "NewStateReason": "another"}), "q-9")])
    assert Recorder(SETTINGS, again, tables).take() == 1
    [row] = tables["alarms"].scan()["Items"]
    assert row["reason"] == ALARM["NewStateReason"]
    assert again.messages == []


def test_a_verdict_is_in_the_history_that_canary_reads(tables: dict[Table, Any]) -> None:
    Recorder(SETTINGS, Queue([Message(notified(VERDICT))]), tables).take()
    [row] = HistoryTable(tables["canaries"], "local").newest(5)
    assert (row.canary, row.verdict, row.exit_status) == (VERDICT["canary"], "FAIL", 1)
    assert (row.started, row.ended) == (VERDICT["started"], VERDICT["ended"])
    assert row.reason == VERDICT["reason"]


def test_a_row_that_canary_wrote_itself_is_left_alone(tables: dict[Table, Any]) -> None:
    whole = {"environment": "local", "canary": VERDICT["canary"], "who": "me"}
    tables["canaries"].put_item(Item=whole)
    Recorder(SETTINGS, Queue([Message(notified(VERDICT))]), tables).take()
    assert tables["canaries"].scan()["Items"] == [whole]


def test_a_canary_that_could_not_run_has_a_row(tables: dict[Table, Any]) -> None:
    told = {**VERDICT, "verdict": None, "exit_status": 2, "baseline": None, "candidate": None}
    Recorder(SETTINGS, Queue([Message(notified(told))]), tables).take()
    [row] = HistoryTable(tables["canaries"], "local").newest(5)
    assert (row.verdict, row.baseline) == ("COULD NOT RUN", "")


def test_settings_that_are_missing_are_named() -> None:
    with pytest.raises(SystemExit, match="RECORDER_QUEUE, RECORDER_ALARM_TABLE"):
        Settings.load({"RECORDER_ENVIRONMENT": "local", "RECORDER_HISTORY_TABLE": "h"})
