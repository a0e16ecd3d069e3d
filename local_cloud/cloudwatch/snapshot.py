"""Save CloudWatch to one file and load it: metrics, alarms, alarm history, dashboards.

The file starts with a line of JSON that describes it. The rows of every metric follow, column by
column, compressed. A new file replaces the old one atomically, so a crash leaves a whole file.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident
from typing import Any

import numpy as np

from local_cloud.cloudwatch.alarms.history import Item
from local_cloud.cloudwatch.alarms.state import Alarm
from local_cloud.cloudwatch.dashboards import Dashboard
from local_cloud.cloudwatch.metric import Metric
from local_cloud.cloudwatch.samples import WIDTH, Rows
from local_cloud.cloudwatch.service import CloudWatch

VERSION = 1
FASTEST = 1


class SnapshotError(Exception):
    """A snapshot that cannot be read; the message says why."""


def write(clouds: Iterable[CloudWatch], path: Path) -> None:
    """Write everything to ``path``."""
    described, columns = [], []
    for cloud in clouds:
        tables = [table for table in cloud.metrics.tables() if len(table[2])]
        columns += [np.ascontiguousarray(rows.T).tobytes() for _, _, rows in tables]
        described.append(_describe(cloud, tables))
    header = json.dumps({"version": VERSION, "clouds": described}).encode()
    _replace(path, zlib.compress(b"\n".join((header, b"".join(columns))), FASTEST))


def _describe(cloud: CloudWatch, tables: list[tuple[Metric, str, Rows]]) -> dict[str, Any]:
    return {
        "account": cloud.account,
        "region": cloud.region,
        "metrics": [[*metric, unit, len(rows)] for metric, unit, rows in tables],
        "alarms": cloud.alarms.dump(),
        "history": [item.dump() for item in cloud.alarms.history.items()],
        "dashboards": [each.dump() for each in cloud.dashboards.all()],
    }


def _replace(path: Path, data: bytes) -> None:
    """Write a temporary file, flush it to disk, and move it to ``path``."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Kept:
    """The contents of a snapshot for one account and region."""

    account: str
    region: str
    tables: list[tuple[Metric, str, Rows]]
    alarms: list[Alarm]
    history: list[Item]
    dashboards: list[Dashboard]


def read(path: Path, cloud_of: Callable[[str, str], CloudWatch]) -> None:
    """Load CloudWatch of each account and region from the file.

    Raises:
        SnapshotError: the file is not a complete snapshot of this version. Nothing was changed.
    """
    try:
        header, _, columns = zlib.decompress(path.read_bytes()).partition(b"\n")
        kept = _parse(json.loads(header), np.frombuffer(columns))
    except (OSError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise SnapshotError(f"{path} is not a snapshot of CloudWatch: {error}") from error
    for each in kept:
        cloud = cloud_of(each.account, each.region)
        cloud.metrics.load(each.tables)
        cloud.alarms.load(each.alarms)
        cloud.alarms.history.load(each.history)
        cloud.dashboards.load(each.dashboards)


def _parse(described: dict[str, Any], numbers: Rows) -> list[_Kept]:
    if described["version"] != VERSION:
        raise ValueError(f"it is of version {described['version']}, and this reads {VERSION}")
    position, kept = 0, []
    for each in described["clouds"]:
        tables = []
        for namespace, name, dimensions, unit, length in each["metrics"]:
            end = position + length * WIDTH
            if end > len(numbers):
                raise ValueError("it is cut short")
            rows = np.ascontiguousarray(numbers[position:end].reshape(WIDTH, length).T)
            metric = Metric(namespace, name, tuple((key, value) for key, value in dimensions))
            tables.append((metric, unit, rows))
            position = end
        kept.append(
            _Kept(
                each["account"],
                each["region"],
                tables,
                [Alarm.load(alarm) for alarm in each["alarms"]],
                [Item.load(item) for item in each["history"]],
                [Dashboard.load(dashboard) for dashboard in each["dashboards"]],
            )
        )
    return kept
