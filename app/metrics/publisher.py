"""The publisher of an instance: reads the counters of the workers every period.

The last reading is stored in the run directory, so the next publisher neither loses nor repeats
counts.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from app.files import write_whole
from app.metrics import process
from app.metrics.batch import Datum, Served, Usage, difference, instance_data, service_data
from app.metrics.restarts import take_restarts
from app.metrics.slots import Counter, Histogram, Reading, read
from app.metrics.version import SharedNumber
from app.settings import Settings


class Taken(msgspec.Struct):
    """A reading on disk: counters, series (as pairs, because keys are tuples), respawns."""

    counters: dict[int, int]
    series: list[tuple[tuple[str, str, int], int, list[int]]]
    respawns: int
    clients: list[int]


Put = Callable[[list[Datum], Callable[[], None]], None]
"""Sends data, and calls the function once CloudWatch has accepted them."""


class Publisher:
    def __init__(self, settings: Settings, put: Put, root: int) -> None:
        """``root`` is the root of the process tree of the instance."""
        self._settings = settings
        self._put = put
        self._root = root
        self._dimensions = {
            "Environment": settings.environment,
            "Colour": settings.colour,
            "Instance": settings.instance,
        }
        self._path = settings.run_directory / "published"
        self._until = published_until(settings)
        self._before, self._respawns = _load(self._path)
        self._usage_before = process.tree(root)
        self._usage_at = time.monotonic()

    def publish(self, start: int) -> None:
        """Publish the period that began at ``start``."""
        now = read(metrics_directory(self._settings))
        period = difference(now, self._before)
        restarts = self._new_respawns(now) + take_restarts(self._settings)
        self._before = now
        _save(self._path, now, self._respawns)
        served = Served(period, self._settings.unjudged_routes)
        data = instance_data(served, restarts, self._usage(), start, self._dimensions)
        data += service_data(served, start, self._settings.environment)
        end = start + self._settings.metrics_period
        self._put(data, lambda: self._until.set(end))

    def begin(self, start: int) -> None:
        """Record that this process has nothing to publish for the time before ``start``."""
        self._until.set(start)

    def _new_respawns(self, now: Reading) -> int:
        """Count the workers that replaced a worker that died."""
        respawns = now.counters[Counter.WORKER_STARTS] - now.counters[Counter.WORKERS_WANTED]
        new = max(0, respawns - self._respawns)
        self._respawns = max(self._respawns, respawns)
        return new

    def _usage(self) -> Usage | None:
        family, at = process.tree(self._root), time.monotonic()
        before, elapsed = self._usage_before, at - self._usage_at
        self._usage_before, self._usage_at = family, at
        if not family or elapsed <= 0:
            return None
        megabytes = sum(each.resident_bytes for each in family) / 1e6
        return Usage(100 * process.cpu_used(before, family) / elapsed, megabytes)


def metrics_directory(settings: Settings) -> Path:
    return settings.run_directory / "metrics"


def published_until(settings: Settings) -> SharedNumber:
    """Return the end of the newest period whose metrics were accepted; 0 if none are sent.

    The health check reports it. So a canary learns early that metrics will be missing.
    """
    return SharedNumber(settings.run_directory / "published-until")


def elect(settings: Settings) -> int:
    """Wait until this process is the only publisher; return the descriptor of the lock."""
    lock = os.open(settings.run_directory / "publisher.lock", os.O_RDWR | os.O_CREAT, 0o640)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _load(path: Path) -> tuple[Reading, int]:
    try:
        taken = msgspec.msgpack.decode(path.read_bytes(), type=Taken)
    except (OSError, msgspec.DecodeError):
        return Reading(), 0
    series = {key: Histogram(total, buckets) for key, total, buckets in taken.series}
    return Reading(taken.counters, series, taken.clients), taken.respawns


def _save(path: Path, reading: Reading, respawns: int) -> None:
    series = [(key, part.microseconds, part.buckets) for key, part in reading.series.items()]
    taken = Taken(dict(reading.counters), series, respawns, reading.clients)
    write_whole(path, msgspec.msgpack.encode(taken))
