"""Counters that several processes write and read without a lock between processes.

Each worker owns one file, which it claims with ``flock``, and only adds to it. The counts of
earlier workers stay, so the sum over all files never decreases while the instance runs.
"""

from __future__ import annotations

import enum
import fcntl
import math
import mmap
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.metrics.clients import CLIENTS
from app.metrics.histogram import BUCKETS, tally

SLOTS = 128
SERIES = 64
_WORD = 8
_KEY_WORDS = 16
_HEADER_WORDS = 16
_SERIES_WORDS = _KEY_WORDS + 1 + BUCKETS
_CLIENTS_AT = _HEADER_WORDS + SERIES * _SERIES_WORDS
_CLIENTS_END = _CLIENTS_AT + 2 * CLIENTS
_FILE_BYTES = _WORD * _CLIENTS_END
_OTHER = ("other", "other", 0)

#: Route, method and status of a response.
Key = tuple[str, str, int]


class Counter(enum.IntEnum):
    """Positions of the counters in the header of a file; 0 is the number of series in use."""

    WORKER_STARTS = 1
    WORKERS_WANTED = 2
    CACHE_HITS = 3
    CACHE_MISSES = 4
    CACHE_ERRORS = 5


@dataclass(slots=True)
class Histogram:
    """Number of responses in each bucket, and the sum of their durations."""

    microseconds: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * BUCKETS)

    @property
    def count(self) -> int:
        return sum(self.buckets)

    def add(self, other: Histogram, sign: int = 1) -> None:
        self.microseconds += sign * other.microseconds
        self.buckets = [a + sign * b for a, b in zip(self.buckets, other.buckets, strict=True)]


@dataclass(slots=True)
class Reading:
    """The sum over all files at one time."""

    counters: dict[int, int] = field(default_factory=lambda: dict.fromkeys(Counter, 0))
    series: dict[Key, Histogram] = field(default_factory=dict)
    clients: list[int] = field(default_factory=lambda: [0] * 2 * CLIENTS)
    """Requests and errors of each group of clients in turn."""


class Slot:
    """The file of one worker."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._file = _claim(directory)
        self._words = _map(self._file)
        self._lock = threading.Lock()
        self._offsets: dict[Key, int] = dict(_series(self._words))

    def record(self, key: Key, seconds: float) -> None:
        """Count one response."""
        self.add(key, [seconds])

    def add(self, key: Key, seconds: Iterable[float]) -> None:
        """Count responses, given their durations in seconds."""
        ordered = sorted(seconds)
        words = self._words
        with self._lock:
            at = self._offsets.get(key) or self._offset(key)
            words[at] += round(math.fsum(ordered) * 1_000_000)
            for index, count in tally(ordered):
                words[at + 1 + index] += count

    def add_clients(self, seen: Iterable[tuple[int, bool]]) -> None:
        """Count requests by group of clients; each is a group, and whether the request failed."""
        with self._lock:
            for group, failed in seen:
                at = _CLIENTS_AT + 2 * group
                self._words[at] += 1
                self._words[at + 1] += failed

    def count(self, counter: Counter, by: int = 1) -> None:
        with self._lock:
            self._words[counter] += by

    def _offset(self, key: Key) -> int:
        """Return the position of a new series, or of the series "other" if there is no room."""
        used = self._words[0]
        if used >= SERIES - 1:
            key = _OTHER
        if key not in self._offsets:
            self._offsets[key] = _name(self._words, used, key)
        return self._offsets[key]


def read(directory: Path) -> Reading:
    """Return the sum over all files in ``directory``."""
    reading = Reading()
    for path in sorted(directory.glob("slot-*")):
        with path.open("r+b") as file:
            if os.fstat(file.fileno()).st_size < _FILE_BYTES:
                continue  # a worker is creating it
            words = _map(file.fileno())
        for counter in Counter:
            reading.counters[counter] += words[counter]
        for key, at in _series(words):
            found = Histogram(words[at], words[at + 1 : at + 1 + BUCKETS].tolist())
            reading.series.setdefault(key, Histogram()).add(found)
        counted = words[_CLIENTS_AT:_CLIENTS_END].tolist()
        reading.clients = [a + b for a, b in zip(reading.clients, counted, strict=True)]
        words.release()
    return reading


def _claim(directory: Path) -> int:
    for number in range(SLOTS):
        file = os.open(directory / f"slot-{number:03}", os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            continue
        os.ftruncate(file, _FILE_BYTES)
        return file
    raise RuntimeError(f"{directory}: running processes use all {SLOTS} metric files")


def _map(file: int) -> memoryview:
    return memoryview(mmap.mmap(file, _FILE_BYTES)).cast("Q")


def _series(words: memoryview) -> Iterator[tuple[Key, int]]:
    """Yield each series in use and the position of its sum; its buckets follow."""
    for number in range(words[0]):
        at = _HEADER_WORDS + number * _SERIES_WORDS
        text = words[at : at + _KEY_WORDS].tobytes().rstrip(b"\0").decode()
        route, method, status = text.split(" ")
        yield (route, method, int(status)), at + _KEY_WORDS


def _name(words: memoryview, number: int, key: Key) -> int:
    """Write the key, then the number of series: a reader sees both or neither."""
    at = _HEADER_WORDS + number * _SERIES_WORDS
    text = f"{key[0]} {key[1]} {key[2]}".encode()
    padded = text.ljust(_KEY_WORDS * _WORD, b"\0")
    for word in range(_KEY_WORDS):
        words[at + word] = int.from_bytes(padded[word * _WORD : (word + 1) * _WORD], "little")
    words[0] = number + 1
    return at + _KEY_WORDS
