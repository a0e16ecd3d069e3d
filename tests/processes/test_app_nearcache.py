"""Copies of products in each process are never stale after a write."""

from __future__ import annotations

import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator

import pytest
import redis as redis_client

from app.cache import RedisCache
from app.metrics.slots import Counter
from app.nearcache import LEASE_SECONDS, NearCache
from tests.support.app_servers import Redis, redis
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(120)]


class Process:
    """The caches of one process, with a table in place of the database."""

    def __init__(self, server: Redis, table: dict[str, bytes]) -> None:
        self.client = redis_client.Redis.from_url(server.url, protocol=3, socket_timeout=2)
        self.counted: Tally[Counter] = Tally()
        self.asked_redis = 0
        self._table = table
        self._far = RedisCache(self.client, 3_600, self._count, self._never)
        self.near = NearCache(self._far, self.client, "k", self._count)

    def _never(self) -> bool:
        self.asked_redis += 1
        return False

    def _count(self, counter: Counter) -> None:
        self.counted[counter] += 1

    def get(self, key: str) -> bytes | None:
        return self.near.fetch(key, lambda: self._table.get(key))

    def put(self, key: str, value: bytes) -> None:
        self._table[key] = value
        self.near.forget(key)

    def close(self) -> None:
        self.near.close()
        self.client.close()


Start = Callable[[dict[str, bytes]], Process]


@pytest.fixture
def server() -> Iterator[Redis]:
    with redis() as running:
        yield running


@pytest.fixture
def start(server: Redis) -> Iterator[Start]:
    started: list[Process] = []

    def one(table: dict[str, bytes]) -> Process:
        started.append(Process(server, table))
        return started[-1]

    yield one
    for each in started:
        each.close()


def warmed(process: Process, key: str = "k") -> None:
    """Read until the copy of the process is used."""

    def from_copy() -> bool:
        before = process.asked_redis
        process.get(key)
        return process.asked_redis == before

    wait_for(from_copy, "a trusted copy")


def test_copies_need_no_redis(start: Start) -> None:
    process = start({"k": b"v"})
    warmed(process)
    before = process.asked_redis
    answers = {process.get("k") for _ in range(1_000)}
    assert answers == {b"v"}
    assert process.asked_redis - before < 500, "the thread that keeps trust may be starved a while"


def test_no_reader_is_stale_once_a_write_has_answered(start: Start) -> None:
    """Four readers in two processes read continuously while a third process writes."""
    table = {"k": b"0"}
    writer, *readers = [start(table) for _ in range(3)]
    stop = threading.Event()
    acknowledged = 0
    stale: list[tuple[int, int]] = []
    reads = Tally[int]()

    def read(number: int) -> None:
        while not stop.is_set():
            least = acknowledged
            seen = int(readers[number % 2].get("k") or b"-1")
            if seen < least:
                stale.append((seen, least))
            reads[number] += 1

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()

    def from_copies() -> int:
        return sum(reads.values()) - sum(each.asked_redis for each in readers)

    until = time.monotonic() + 30
    while acknowledged < 15 or (from_copies() <= 100 and time.monotonic() < until):
        writer.put("k", str(acknowledged + 1).encode())
        acknowledged += 1
        time.sleep(0.02)
    stop.set()
    for thread in threads:
        thread.join()
    assert stale == []
    assert from_copies() > 100, "or nothing was tried"


def test_the_wait_is_what_makes_it_so(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """With late announcements and a writer that does not wait, the test above fails."""
    table = {"k": b"old"}
    writer, reader = start(table), start(table)
    warmed(reader)
    monkeypatch.setattr(reader.near, "_forget_copies", lambda _: None)
    reader.near._kept["k"] = b"old"
    wait_for(lambda: time.monotonic() < reader.near._trusted_until, "trust")
    monkeypatch.setattr("app.nearcache.MARGIN", 0)

    def stale() -> bool:
        """Return whether a reader gets a stale copy; on a busy machine its lease may end before."""
        writer.put("k", b"old")
        reader.get("k")
        writer.put("k", b"new")
        return reader.get("k") == b"old"

    wait_for(stale, "a stale read")


def test_a_starved_watcher_loses_its_trust(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    process = start({"k": b"v"})
    warmed(process)
    monkeypatch.setattr("app.nearcache.PING_SECONDS", 60)
    time.sleep(LEASE_SECONDS * 3)
    before = process.asked_redis
    assert process.get("k") == b"v"
    assert process.asked_redis == before + 1
    process.near._closing.set()


def test_redis_away_and_back(server: Redis, start: Start) -> None:
    table = {"k": b"old"}
    process = start(table)
    warmed(process)
    server.stop()
    time.sleep(LEASE_SECONDS * 2)
    table["k"] = b"new"  # another process writes without an announcement
    assert process.get("k") == b"new"
    server.start()
    time.sleep(2.2)
    warmed(process)
    assert process.get("k") == b"new"


def test_an_idle_process_leaves_redis_alone(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.nearcache.IDLE_SECONDS", 0.3)
    process = start({"k": b"v"})
    process.get("k")
    watcher = process.near._watcher
    assert watcher
    watcher.join(10)
    assert not watcher.is_alive()
    monkeypatch.setattr("app.nearcache.IDLE_SECONDS", 5)
    warmed(process)
