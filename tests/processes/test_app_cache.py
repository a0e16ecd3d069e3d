"""The cache on a real Redis: one load for many readers, never stale after a write."""

from __future__ import annotations

import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis as redis_client

from app.cache import RedisCache
from app.metrics.slots import Counter
from tests.support.app_servers import Redis, redis

pytestmark = [pytest.mark.timeout(60)]
TTL = 3_600


class Cached:
    """The cache of one process, with a table that counts every load."""

    def __init__(self, server: Redis, table: dict[str, bytes], slow: float = 0.0) -> None:
        self.client = redis_client.Redis.from_url(
            server.url, socket_timeout=2, socket_connect_timeout=2
        )
        self.counted: Tally[Counter] = Tally()
        self.loads = 0
        self.broken = False
        self._table = table
        self._slow = slow
        self._cache = RedisCache(self.client, TTL, self._count, lambda: self.broken)

    def _count(self, counter: Counter) -> None:
        self.counted[counter] += 1

    def get(self, key: str) -> bytes | None:
        def load() -> bytes | None:
            self.loads += 1
            found = self._table.get(key)
            time.sleep(self._slow)
            return found

        return self._cache.fetch(key, load)

    def put(self, key: str, value: bytes) -> None:
        self._table[key] = value
        self._cache.forget(key)


Make = Callable[..., Cached]


@pytest.fixture
def server() -> Iterator[Redis]:
    with redis() as running:
        yield running


@pytest.fixture
def cache(server: Redis) -> Iterator[Make]:
    """Make caches of several processes on one Redis, and close them."""
    made: list[Cached] = []

    def make(table: dict[str, bytes], slow: float = 0.0) -> Cached:
        made.append(Cached(server, table, slow))
        return made[-1]

    yield make
    for each in made:
        each.client.close()


def test_loads_once_and_then_hits(cache: Make) -> None:
    cached = cache({"k": b"v"})
    assert [cached.get("k") for _ in range(5)] == [b"v"] * 5
    assert cached.loads == 1
    assert cached.counted == {Counter.CACHE_MISSES: 1, Counter.CACHE_HITS: 4}


def test_lives_an_hour_within_a_tenth(cache: Make) -> None:
    cached = cache({str(n): b"v" for n in range(50)})
    for number in range(50):
        cached.get(str(number))
    lives = [int(str(cached.client.ttl(str(number)))) for number in range(50)]
    assert all(0.9 * TTL - 2 <= life <= 1.1 * TTL for life in lives)
    assert len(set(lives)) > 10, "what was loaded together does not end together"


def test_what_is_not_there_is_not_kept(cache: Make) -> None:
    cached = cache({})
    assert cached.get("k") is None
    cached.put("k", b"v")
    assert cached.get("k") == b"v"


def test_a_write_is_seen_at_once_by_every_process(cache: Make) -> None:
    table = {"k": b"0"}
    first, second = cache(table), cache(table)
    for number in range(50):
        assert second.get("k") == first.get("k") == str(number).encode()
        first.put("k", str(number + 1).encode())


def test_a_load_that_began_before_a_write_is_not_kept(cache: Make) -> None:
    table = {"k": b"old"}
    slow, quick = cache(table, slow=0.3), cache(table)
    reader = threading.Thread(target=slow.get, args=("k",))
    reader.start()
    time.sleep(0.1)  # the reader has the old value but has not stored it yet
    quick.put("k", b"new")
    reader.join()
    assert quick.get("k") == slow.get("k") == b"new"


def test_a_cold_popular_key_is_loaded_once(cache: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight threads in each of three caches (processes): one load, not 24."""
    monkeypatch.setattr("app.cache.WAIT_SECONDS", 10)  # even on a busy machine
    table = {"k": b"v"}
    caches = [cache(table, slow=0.05) for _ in range(3)]
    barrier = threading.Barrier(24)

    def read(number: int) -> bytes | None:
        barrier.wait()
        return caches[number % 3].get("k")

    with ThreadPoolExecutor(24) as pool:
        assert set(pool.map(read, range(24))) == {b"v"}
    assert sum(cached.loads for cached in caches) == 1


def test_a_loader_that_died_delays_and_does_not_block(cache: Make) -> None:
    cached = cache({"k": b"v"})
    cached.client.set("k", b"lease:of the dead", px=60_000)
    began = time.monotonic()
    assert cached.get("k") == b"v"
    assert time.monotonic() - began < 20


def test_redis_away_answers_still_come_and_a_metric_says_so(cache: Make, server: Redis) -> None:
    cached = cache({"k": b"v"})
    cached.get("k")
    server.stop()
    began = time.monotonic()
    assert [cached.get("k") for _ in range(100)] == [b"v"] * 100
    assert time.monotonic() - began < 50, "not every request may wait for a timeout"
    assert cached.counted[Counter.CACHE_ERRORS] >= 1


def test_a_write_while_redis_is_away_is_not_stale_when_it_is_back(cache: Make) -> None:
    cached = cache({"k": b"old"})
    cached.get("k")
    cached.broken = True  # the network is cut; Redis keeps its data
    cached.put("k", b"new")
    assert cached.get("k") == b"new"
    cached.broken = False
    time.sleep(1.1)
    assert cached.get("k") == b"new"
    assert cached.client.get("k") == b"new"
