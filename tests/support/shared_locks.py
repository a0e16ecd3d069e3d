"""Both kinds of an environment's lock, without AWS and without a proxy host."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from shop_traffic import cli
from shop_traffic.commands import Traffic
from shop_traffic.config import Config, RefusedError
from shop_traffic.memory import Memory
from shop_traffic.runtime import Runtime

from canary.errors import TrafficError
from canary.state.base import Lock
from canary.state.proxy_lock import ProxyLock
from canary.state.tables import REFUSED, LockTable
from tests.support.proxy_world import SERVERS, FakeTimer

ENVIRONMENT = "test"


class DynamoTable:
    """One table of DynamoDB: writes with the conditions that boto3 builds."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}

    def get_item(self, Key: dict[str, str], ConsistentRead: bool) -> dict[str, Any]:  # noqa: N803, FBT001
        assert ConsistentRead
        item = self.items.get(Key["environment"])
        return {"Item": dict(item)} if item else {}

    def put_item(self, Item: dict[str, Any], ConditionExpression: Any) -> None:  # noqa: N803
        self._check(Item["environment"], ConditionExpression)
        self.items[Item["environment"]] = Item

    def delete_item(self, Key: dict[str, str], ConditionExpression: Any) -> None:  # noqa: N803
        self._check(Key["environment"], ConditionExpression)
        self.items.pop(Key["environment"], None)

    def _check(self, key: str, condition: Any) -> None:
        if not _holds(condition, self.items.get(key, {})):
            raise ClientError({"Error": {"Code": REFUSED}}, "PutItem")


def _holds(condition: Any, item: dict[str, Any]) -> bool:
    expression = condition.get_expression()
    left, *right = expression["values"]
    match expression["operator"]:
        case "AND":
            return _holds(left, item) and _holds(right[0], item)
        case "attribute_not_exists":
            return left.name not in item
        case "=":
            return left.name in item and bool(item[left.name] == right[0])
        case _:
            raise AssertionError(f"this table does not know {expression}")


class ProxyHost:
    """``shop-traffic`` of a proxy host, run in this process."""

    def __init__(self, directory: Path) -> None:
        config = Config("shop", directory / "s", directory / "state", directory, SERVERS)
        runtime = Runtime(config.socket, config.backend)
        self.memory = Memory(directory)
        self._traffic = Traffic(config, runtime, self.memory, FakeTimer())
        self._parser = cli.parser()

    def ask(self, *words: str) -> str:
        try:
            return json.dumps(cli.answer(self._traffic, self._parser.parse_args(words)))
        except RefusedError as error:
            raise TrafficError(f"shop-traffic {words[0]} was refused: {error}") from error


def aws_lock(_directory: Path) -> LockTable:
    """Return a new lock as it is on AWS."""
    return LockTable(DynamoTable(), ENVIRONMENT)


def file_lock(directory: Path) -> ProxyLock:
    """Return a new lock of an environment whose state is in files."""
    directory.mkdir()
    return ProxyLock(ProxyHost(directory).ask, ENVIRONMENT)


LOCKS: dict[str, Callable[[Path], Lock]] = {"aws": aws_lock, "file": file_lock}
