"""Copy messages from the queue to the tables: write the row first, then delete the message."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from alarm_recorder.rows import Row, Table, row_of

LOG = logging.getLogger("alarm_recorder")
BATCH = 10  # SQS returns at most 10 messages
WAIT = 20  # seconds of a long poll
PAUSE = 2.0  # seconds before a failed request is retried
ONCE = "attribute_not_exists(environment)"
# Longer than a long poll.
PATIENT = Config(
    connect_timeout=3, read_timeout=WAIT + 10, retries={"mode": "standard", "total_max_attempts": 3}
)


@dataclass(frozen=True)
class Settings:
    """The settings in the service's environment file."""

    environment: str
    queue: str
    tables: Mapping[Table, str]

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Settings:
        names = ("ENVIRONMENT", "QUEUE", "ALARM_TABLE", "HISTORY_TABLE")
        missing = [f"RECORDER_{name}" for name in names if not environ.get(f"RECORDER_{name}")]
        if missing:
            raise SystemExit(
                f"alarm_recorder: {', '.join(missing)} not set; see roles/alarm_recorder/README.md"
            )
        found = [environ[f"RECORDER_{name}"] for name in names]
        return cls(found[0], found[1], {"alarms": found[2], "canaries": found[3]})


class Recorder:
    def __init__(self, settings: Settings, queue: Any, tables: Mapping[Table, Any]) -> None:
        """``queue`` and ``tables`` are boto3's resources."""
        self._settings = settings
        self._queue = queue
        self._tables = tables

    def run(self) -> None:
        """Record until killed. A kill at any time loses no message and writes no row twice."""
        while True:
            try:
                self.take()
            except (BotoCoreError, ClientError) as error:
                LOG.warning("AWS did not respond; the request is retried: %s", error)
                time.sleep(PAUSE)

    def take(self) -> int:
        """Record one batch of waiting messages; return how many were recorded."""
        messages = self._queue.receive_messages(
            MaxNumberOfMessages=BATCH, WaitTimeSeconds=WAIT, AttributeNames=["SentTimestamp"]
        )
        done = [message for message in messages if self._record(message)]
        if done:
            self._queue.delete_messages(
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message.receipt_handle}
                    for number, message in enumerate(done)
                ]
            )
        return len(done)

    def _record(self, message: Any) -> bool:
        """Write the message's row. Return whether the table has it now or had it before."""
        sent = int((message.attributes or {}).get("SentTimestamp", 0)) / 1000
        row = row_of(message.body, message.message_id, sent, self._settings.environment)
        try:
            self._put(row)
        except (BotoCoreError, ClientError) as error:
            LOG.warning("%s stays in the queue: %s", message.message_id, error)
            return False
        return True

    def _put(self, row: Row) -> None:
        key = row.item.get("change") or row.item["canary"]
        try:
            self._tables[row.table].put_item(Item=dict(row.item), ConditionExpression=ONCE)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            LOG.info("%s was there already", key)
        else:
            LOG.info("%s", key)


def connect(settings: Settings) -> Recorder:
    """Return a recorder; wait until its queue is reachable."""
    # Debian's boto3 does not know AWS_ENDPOINT_URL itself.
    options = {"endpoint_url": os.environ.get("AWS_ENDPOINT_URL") or None, "config": PATIENT}
    dynamodb = boto3.resource("dynamodb", **options)
    tables = {kind: dynamodb.Table(name) for kind, name in settings.tables.items()}
    sqs = boto3.resource("sqs", **options)
    while True:
        try:
            return Recorder(settings, sqs.get_queue_by_name(QueueName=settings.queue), tables)
        except (BotoCoreError, ClientError) as error:
            LOG.warning("Queue %s can't be reached yet: %s", settings.queue, error)
            time.sleep(PAUSE)
