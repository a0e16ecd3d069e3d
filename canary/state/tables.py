"""Lock and history in DynamoDB.

The lock is one item per environment, taken by a conditional write. The write succeeds if the item
is absent, or unchanged since it was read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from canary.errors import LockLostError, StateError
from canary.state.base import VERSION, AlarmChange, Holder, Row, refuse_newer

REFUSED = "ConditionalCheckFailedException"


class LockTable:
    """Items with the key ``environment``."""

    def __init__(self, table: Any, environment: str) -> None:
        self._table = table
        self._environment = environment

    def holder(self) -> Holder | None:
        key = {"environment": self._environment}
        item = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        if item is None:
            return None
        refuse_newer(item.get("version"), f"The lock of {self._environment}")
        return Holder(
            canary=str(item["canary"]),
            who=str(item["who"]),
            since=float(item["since"]),
            until=float(item["until"]),
            beat=int(item["beat"]),
        )

    def take(self, holder: Holder, instead_of: Holder | None) -> bool:
        if instead_of is None:
            return self._put(holder, Attr("environment").not_exists())
        same = Attr("canary").eq(instead_of.canary) & Attr("beat").eq(instead_of.beat)
        return self._put(holder, same)

    def renew(self, holder: Holder) -> None:
        if not self._put(holder, Attr("canary").eq(holder.canary)):
            found = self.holder()
            now = (
                f"canary {found.canary} of {found.who} holds it now" if found else "it is free now"
            )
            raise LockLostError(f"The lock of {self._environment} was lost: {now}")

    def free(self, holder: Holder) -> None:
        condition = Attr("canary").eq(holder.canary)
        key = {"environment": self._environment}
        _allowed(lambda: self._table.delete_item(Key=key, ConditionExpression=condition))

    def _put(self, holder: Holder, condition: Any) -> bool:
        item = {
            "environment": self._environment,
            "canary": holder.canary,
            "who": holder.who,
            "since": _number(holder.since),
            "until": _number(holder.until),
            "beat": holder.beat,
            "version": VERSION,
        }
        return _allowed(lambda: self._table.put_item(Item=item, ConditionExpression=condition))


class HistoryTable:
    """Items with the keys ``environment`` and ``canary``, whose names sort by time."""

    def __init__(self, table: Any, environment: str) -> None:
        self._table = table
        self._environment = environment

    def add(self, row: Row) -> None:
        item = {
            key: _number(value) if isinstance(value, float) else value
            for key, value in dataclasses.asdict(row).items()
        }
        item |= {"environment": self._environment, "version": VERSION}
        self._table.put_item(Item=item)

    def newest(self, limit: int) -> Sequence[Row]:
        answer = self._table.query(
            KeyConditionExpression=Key("environment").eq(self._environment),
            ScanIndexForward=False,
            Limit=limit,
        )
        return [_row(item) for item in answer["Items"]]


class AlarmTable:
    """Items with the keys ``environment`` and ``change``, which begins with the time."""

    def __init__(self, table: Any, environment: str) -> None:
        self._table = table
        self._environment = environment

    def newest(self, limit: int) -> Sequence[AlarmChange]:
        answer = self._table.query(
            KeyConditionExpression=Key("environment").eq(self._environment),
            ScanIndexForward=False,
            Limit=limit,
        )
        names = [field.name for field in dataclasses.fields(AlarmChange)]
        return [
            AlarmChange(**{name: str(item.get(name, "")) for name in names})
            for item in answer["Items"]
        ]


def _row(item: dict[str, Any]) -> Row:
    refuse_newer(item.get("version"), f"The row {item.get('canary')} of the history")
    readers: dict[str, Callable[[Any], Any]] = {"float": float, "int": int, "str": str}
    try:
        return Row(
            **{
                field.name: readers[str(field.type)](item[field.name])
                for field in dataclasses.fields(Row)
                if field.name in item or field.default is dataclasses.MISSING
            }
        )
    except (KeyError, ValueError) as error:
        raise StateError(f"A row of the history is damaged: {error}; it is {item}") from error


def _allowed(write: Callable[[], Any]) -> bool:
    """Return whether the condition of a write held. Other errors are raised."""
    try:
        write()
    except ClientError as error:
        if error.response["Error"]["Code"] == REFUSED:
            return False
        raise
    return True


def _number(value: float) -> Decimal:
    return Decimal(str(round(value, 3)))
