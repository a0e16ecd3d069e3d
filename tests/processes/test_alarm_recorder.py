"""The alarm recorder between SNS, SQS and DynamoDB, killed repeatedly."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from canary.state.tables import HistoryTable
from tests.support.paths import ROOT
from tests.support.tables import make_table
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(900)]

PROGRAM = ROOT / "roles/alarm_recorder/files"
REGION = "eu-central-1"
KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
ALARMS, VERDICTS = 450, 50
TWICE = 20
"""Alarm changes that SNS gets twice."""
KILLS = 4
PATIENCE = 300
"""Time limit in seconds for a busy machine."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API of the local cloud in a separate process."""
    command = [sys.executable, "-m", "tests.support.canary_cloud"]
    command.append(str(tmp_path_factory.mktemp("cloud")))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as server:  # type: ignore[call-overload]
        yield f"http://127.0.0.1:{json.loads(server.stdout.readline())['port']}"
        server.stdin.close()


class Account:
    """The topic, its queue, and the two tables."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.options: dict[str, Any] = {"endpoint_url": address, "region_name": REGION, **KEYS}
        self.sns = boto3.client("sns", **self.options)
        self.sqs = boto3.client("sqs", **self.options)
        self.topic = self.sns.create_topic(Name="events")["TopicArn"]
        # short, so that the messages of a killed recorder soon become visible again
        self.queue = self.sqs.create_queue(
            QueueName="events", Attributes={"VisibilityTimeout": "3"}
        )["QueueUrl"]
        arn = self.topic.replace(":sns:", ":sqs:")
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)
        dynamodb = boto3.resource("dynamodb", **self.options)
        self.alarms = make_table(dynamodb, "alarms", "environment", "change")
        self.history = make_table(dynamodb, "history", "environment", "canary")

    def publish(self, messages: list[dict[str, Any]]) -> None:
        for start in range(0, len(messages), 10):
            entries = [
                {"Id": str(number), "Message": json.dumps(told)}
                for number, told in enumerate(messages[start : start + 10])
            ]
            self.sns.publish_batch(TopicArn=self.topic, PublishBatchRequestEntries=entries)

    def rows(self, table: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = table.scan()["Items"]
        return found

    def waiting(self) -> int:
        """Return the number of messages in the queue, in any state."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)
        return sum(int(told["Attributes"][name]) for name in names)


@pytest.fixture(scope="module")
def account(address: str) -> Account:
    return Account(address)


@contextmanager
def recorder(account: Account) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROGRAM),
        "AWS_ENDPOINT_URL": account.address,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "RECORDER_ENVIRONMENT": "local",
        "RECORDER_QUEUE": "events",
        "RECORDER_ALARM_TABLE": "alarms",
        "RECORDER_HISTORY_TABLE": "history",
    }
    command = [sys.executable, "-m", "alarm_recorder"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def changes() -> list[dict[str, Any]]:
    names = ("ManyCarts", "ErrorRate", "Unavailable-shop")
    states = itertools.cycle(("ALARM", "OK"))
    return [
        {
            "AlarmName": f"shop-local-{names[number % 3]}",
            "NewStateValue": next(states),
            "OldStateValue": "OK",
            "NewStateReason": f"reason {number}",
            "StateChangeTime": f"2026-11-26T11:{number // 60:02}:{number % 60:02}.000+0000",
        }
        for number in range(ALARMS)
    ]


def verdicts() -> list[dict[str, Any]]:
    return [
        {
            "canary": f"20261126T1100{number:02}Z-aaaa",
            "verdict": "PASS",
            "exit_status": 0,
            "reason": f"verdict {number}",
            "live": "blue",
            "started": 1_795_690_800.0 + number,
            "ended": 1_795_690_860.0 + number,
            "baseline": "v1 a",
            "candidate": "v2 b",
        }
        for number in range(VERDICTS)
    ]


def until_rows(account: Account, wanted: int) -> None:
    def enough() -> bool:
        return len(account.rows(account.alarms)) + len(account.rows(account.history)) >= wanted

    wait_for(enough, f"{wanted} rows", PATIENCE, 0.5)


@pytest.mark.long
def test_500_notifications_are_500_rows_however_often_the_recorder_is_killed(
    account: Account,
) -> None:
    told = changes()
    account.publish(told + verdicts() + told[:TWICE])
    assert account.waiting() >= ALARMS + VERDICTS + TWICE
    for kill in range(KILLS):
        with recorder(account) as process:
            until_rows(account, (kill + 1) * 60)
            process.kill()  # -9, in the middle of a batch
    with recorder(account) as process:
        until_rows(account, ALARMS + VERDICTS)
        wait_for(lambda: not account.waiting(), "recorded messages are deleted", PATIENCE, 0.5)
        assert process.poll() is None

    rows = account.rows(account.alarms)
    assert len(rows) == ALARMS
    seen = Counter((row["alarm"], row["time"], row["new"]) for row in rows)
    assert max(seen.values()) == 1
    assert {row["reason"] for row in rows} == {f"reason {number}" for number in range(ALARMS)}
    assert all(json.loads(row["message"])["AlarmName"] == row["alarm"] for row in rows)
    kept = HistoryTable(account.history, "local").newest(1000)
    assert [row.reason for row in kept] == [f"verdict {n}" for n in reversed(range(VERDICTS))]
