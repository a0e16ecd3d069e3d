"""Keep CloudWatch in one file, and bring it back: metrics, alarms, their history, dashboards.

The file is a line of JSON that describes it, then every metric's rows column by column, all
compressed. It replaces the one before in a single step, so a crash leaves either, never half.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
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
    """A snapshot that cannot be read, in a sentence."""


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
    """Write a file beside ``path`` and move it there once it is on the disk."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read(path: Path, cloud_of: Callable[[str, str], CloudWatch]) -> None:
    """Fill CloudWatch of each account and region as the file has it.

    Raises:
        SnapshotError: the file is not a snapshot, or of another version. Nothing was changed.
    """
    try:
        header, _, columns = zlib.decompress(path.read_bytes()).partition(b"\n")
        described = json.loads(header)
        version = described["version"]
        numbers = np.frombuffer(columns)
    except (OSError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise SnapshotError(f"{path} is not a snapshot of CloudWatch: {error}") from error
    if version != VERSION:
        raise SnapshotError(f"{path} is a snapshot of version {version}; this reads {VERSION}")
    for each in described["clouds"]:
        numbers = _fill(cloud_of(each["account"], each["region"]), each, numbers)


def _fill(cloud: CloudWatch, described: dict[str, Any], numbers: Rows) -> Rows:
    """Fill one CloudWatch; return the numbers that are left for the others."""
    tables = []
    for namespace, name, dimensions, unit, length in described["metrics"]:
        column_wise, numbers = numbers[: length * WIDTH], numbers[length * WIDTH :]
        metric = Metric(namespace, name, tuple((key, value) for key, value in dimensions))
        tables.append((metric, unit, np.ascontiguousarray(column_wise.reshape(WIDTH, length).T)))
    cloud.metrics.load(tables)
    cloud.alarms.load(Alarm.load(each) for each in described["alarms"])
    cloud.alarms.history.load(Item.load(each) for each in described["history"])
    cloud.dashboards.load(Dashboard.load(each) for each in described["dashboards"])
    return numbers
