"""An environment's state on AWS: DynamoDB, SSM, S3, SNS and CloudWatch alarms."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from canary.environment import AwsStateSettings, Environment, client_options
from canary.errors import StateError
from canary.state.base import AlarmChange, Holder, Live, Row, StoredObject
from canary.state.tables import AlarmTable, HistoryTable, LockTable

QUICK = Config(
    connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3}
)
SUBJECT_LENGTH = 100  # SNS's limit


class AwsState:
    """Everything that a rollout stores, in one object, which tests can replace."""

    def __init__(self, settings: AwsStateSettings, environment: Environment) -> None:
        self._settings = settings
        self._environment = environment
        self._clients: dict[str, Any] = {}
        self._account = ""
        self._options: dict[str, Any] = {**client_options(environment), "config": QUICK}

    @cached_property
    def _lock(self) -> LockTable:
        return LockTable(self._table(self._settings.lock_table), self._environment.name)

    @cached_property
    def _history(self) -> HistoryTable:
        return HistoryTable(self._table(self._settings.history_table), self._environment.name)

    def _table(self, name: str) -> Any:
        self._require_account()
        return boto3.resource("dynamodb", **self._options).Table(name)

    def _client(self, service: str) -> Any:
        """Return a client. It is created on first use, because that takes a tenth of a second."""
        self._require_account()
        if service not in self._clients:
            self._clients[service] = boto3.client(service, **self._options)
        return self._clients[service]

    def _require_account(self) -> None:
        """Refuse credentials of another account than the policy's."""
        expected = self._environment.account
        if expected is None or self._account == expected:
            return
        with _asking("account"):
            answer = boto3.client("sts", **self._options).get_caller_identity()
        self._account = str(answer["Account"])
        if self._account != expected:
            raise StateError(
                f"Your credentials belong to account {self._account}, but environment "
                f"{self._environment.name} is in account {expected}. Use credentials of that "
                f"account: export AWS_PROFILE=... AWS_REGION={self._environment.region}"
            )

    def holder(self) -> Holder | None:
        with _asking(f"lock table {self._settings.lock_table}"):
            return self._lock.holder()

    def take(self, holder: Holder, instead_of: Holder | None) -> bool:
        with _asking(f"lock table {self._settings.lock_table}"):
            return self._lock.take(holder, instead_of)

    def renew(self, holder: Holder) -> None:
        with _asking(f"lock table {self._settings.lock_table}"):
            self._lock.renew(holder)

    def free(self, holder: Holder) -> None:
        with _asking(f"lock table {self._settings.lock_table}"):
            self._lock.free(holder)

    def live(self) -> Live:
        name = self._settings.live_parameter
        with _asking(f"parameter {name}"):
            value = str(self._client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
        colour, _, release = value.partition(" ")
        if colour not in self._environment.colours:
            allowed = " or ".join(self._environment.colours)
            raise StateError(
                f"Parameter {name} is {value!r}; it must be {allowed}, and may name a release "
                "after a space"
            )
        return Live(colour, release.strip())

    def set_live(self, live: Live) -> None:
        name = self._settings.live_parameter
        with _asking(f"parameter {name}"):
            self._client("ssm").put_parameter(
                Name=name,
                Value=f"{live.colour} {live.release}".strip(),
                Type="String",
                Overwrite=True,
            )

    def remember(self, row: Row) -> None:
        with _asking(f"history table {self._settings.history_table}"):
            self._history.add(row)

    def history(self, limit: int) -> Sequence[Row]:
        with _asking(f"history table {self._settings.history_table}"):
            return self._history.newest(limit)

    def missed(self) -> str:
        return ""  # everybody uses the same tables

    def alarm_changes(self, limit: int) -> Sequence[AlarmChange]:
        name = self._settings.alarm_table
        if name is None:
            raise StateError(
                "The policy names no table of alarm changes; add environment: state: alarm_table"
            )
        with _asking(f"alarm table {name}"):
            return AlarmTable(self._table(name), self._environment.name).newest(limit)

    def announce(self, subject: str, message: Mapping[str, object]) -> None:
        if self._settings.topic is None:
            return
        with _asking(f"topic {self._settings.topic}"):
            self._client("sns").publish(
                TopicArn=self._settings.topic,
                Subject=subject[:SUBJECT_LENGTH],
                Message=json.dumps(message, sort_keys=True),
            )

    def find(self, key: str) -> StoredObject | None:
        with _asking(f"bucket {self._settings.bucket}"):
            try:
                head = self._client("s3").head_object(Bucket=self._settings.bucket, Key=key)
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                    return None
                raise
        return StoredObject(self._url(key), head["Metadata"])

    def fetch(self, key: str) -> bytes:
        with _asking(f"bucket {self._settings.bucket}"):
            answer = self._client("s3").get_object(Bucket=self._settings.bucket, Key=key)
            return bytes(answer["Body"].read())

    def store(self, key: str, body: bytes, metadata: Mapping[str, str]) -> StoredObject:
        with _asking(f"bucket {self._settings.bucket}"):
            self._client("s3").put_object(
                Bucket=self._settings.bucket, Key=key, Body=body, Metadata=dict(metadata)
            )
        return StoredObject(self._url(key), dict(metadata))

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        with _asking("alarms"):
            pages = (
                self._client("cloudwatch")
                .get_paginator("describe_alarms")
                .paginate(AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"])
            )
            states = {name: state for page in pages for name, state in _alarm_states(page)}
        unknown = [name for name in names if name not in states]
        if unknown:
            raise StateError(
                f"No alarm is named {', '.join(unknown)}; the bake would check nothing. Correct "
                "environment: bake: alarms in the policy"
            )
        return states

    def _url(self, key: str) -> str:
        return f"s3://{self._settings.bucket}/{key}"


def _alarm_states(page: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind in ("MetricAlarms", "CompositeAlarms"):
        for alarm in page.get(kind, []):
            yield str(alarm["AlarmName"]), str(alarm["StateValue"])


@contextmanager
def _asking(what: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise StateError(f"The environment's {what} could not be used: {error}") from error
