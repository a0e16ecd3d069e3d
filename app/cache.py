"""The cache of the catalogue: it is never stale after a write, and many readers share one load.

After a miss, a reader takes a lease, loads the value, and stores it only if the lease is still
valid. A writer deletes value and lease after its commit, so a load that began before the write is
not stored. R. Nishtala et al. (2013), "Scaling Memcache at Facebook", NSDI, section 3.2.1.
"""

from __future__ import annotations

import logging
import random
import secrets
import threading
import time
from collections.abc import Callable
from typing import Protocol, cast

import redis

from app.metrics.slots import Counter
from app.settings import Settings

log = logging.getLogger("shop.cache")

Load = Callable[[], bytes | None]
Count = Callable[[Counter], None]

LEASE_MS = 3_000
WAIT_SECONDS = 0.5
TIMEOUT_SECONDS = 0.2
BREAK_SECONDS = 1.0
JITTER = 0.1
_LEASE = b"lease:"
_STORE = """
if redis.call('get', KEYS[1]) == ARGV[1] then
    return redis.call('set', KEYS[1], ARGV[2], 'EX', ARGV[3])
end
"""
_GIVE_BACK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end"


class Cache(Protocol):
    def fetch(self, key: str, load: Load) -> bytes | None:
        """Return the cached value of ``key``, else the result of ``load``. None is not cached."""
        ...

    def forget(self, key: str) -> None:
        """Make every later ``fetch`` return what was committed before this call."""
        ...


class NoCache:
    """No cache, for several instances without Redis: each fetch loads the value."""

    def fetch(self, key: str, load: Load) -> bytes | None:  # noqa: ARG002
        return load()

    def forget(self, key: str) -> None:
        pass


class RedisCache:
    """A cache for all instances. Without a connection each fetch loads and increments a metric."""

    def __init__(
        self, client: redis.Redis, ttl: int, count: Count, fails: Callable[[], bool]
    ) -> None:
        """``fails`` is the fault ``cachefail``; it returns whether to fail this time."""
        self._client = client
        self._ttl = ttl
        self._count = count
        self._fails = fails
        self._broken_until = 0.0
        self._unforgotten: set[str] = set()
        self._store = client.register_script(_STORE)
        self._give_back = client.register_script(_GIVE_BACK)

    def fetch(self, key: str, load: Load) -> bytes | None:
        if time.monotonic() < self._broken_until:
            return load()
        try:
            self._use()
            found = self._value_or_lease(key)
        except redis.RedisError as error:
            self._break(error)
            return load()
        if found is None:
            return load()
        if not found.startswith(_LEASE):
            self._count(Counter.CACHE_HITS)
            return found
        self._count(Counter.CACHE_MISSES)
        return self._loaded(key, found, load)

    def forget(self, key: str) -> None:
        self._unforgotten.add(key)
        try:
            self._use()
        except redis.RedisError as error:
            self._break(error)

    def _use(self) -> None:
        """Before reading, delete the keys that could not be deleted while Redis was unreachable."""
        if self._fails():
            raise redis.ConnectionError("cachefail is configured")
        if self._unforgotten:
            keys = list(self._unforgotten)
            self._client.delete(*keys)
            self._unforgotten.difference_update(keys)

    def _value_or_lease(self, key: str) -> bytes | None:
        """Return the value, or a lease to load it, or None if another lease takes too long."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            found = cast("bytes | None", self._client.get(key))
            if found is None:
                lease = _LEASE + secrets.token_bytes(8)
                if self._client.set(key, lease, nx=True, px=LEASE_MS):
                    return lease
            elif not found.startswith(_LEASE):
                return found
            elif time.monotonic() > deadline:
                return None
            else:
                time.sleep(0.005)

    def _loaded(self, key: str, lease: bytes, load: Load) -> bytes | None:
        value: bytes | None = None
        try:
            value = load()
        finally:
            try:
                if value is None:
                    self._give_back([key], [lease])
                else:
                    self._store([key], [lease, value, _jittered(self._ttl)])
            except redis.RedisError as error:
                self._break(error)
        return value

    def _break(self, error: redis.RedisError) -> None:
        """Stop using Redis for a moment: a timeout in each request would cost more."""
        self._broken_until = time.monotonic() + BREAK_SECONDS
        self._count(Counter.CACHE_ERRORS)
        log.warning("the cache fails: %s", error)


class LocalCache:
    """A cache in each process, for one machine; the processes share ``version``.

    A value is valid as long as the version is the same as before its load. A write increments the
    version.
    """

    def __init__(self, version: Callable[[], int], bump: Callable[[], None], count: Count) -> None:
        self._version = version
        self._bump = bump
        self._count = count
        self._lock = threading.Lock()
        self._kept: dict[str, bytes] = {}
        self._kept_version = -1

    def fetch(self, key: str, load: Load) -> bytes | None:
        version = self._version()
        if version == self._kept_version and (found := self._kept.get(key)):
            self._count(Counter.CACHE_HITS)
            return found
        with self._lock:  # one load at a time; waiting readers then find the value
            if version == self._kept_version and (found := self._kept.get(key)):
                return found
            self._count(Counter.CACHE_MISSES)
            value = load()
            if version != self._kept_version:
                self._kept, self._kept_version = {}, version
            if value is not None and len(self._kept) < 10_000:
                self._kept[key] = value
            return value

    def forget(self, key: str) -> None:  # noqa: ARG002
        self._bump()


def redis_client(settings: Settings) -> redis.Redis:
    """Return a client for the Redis in the settings. It connects at first use."""
    return redis.Redis.from_url(
        settings.redis_url,
        protocol=3,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        max_connections=settings.threads * 2,
        client_name="shop",
    )


def _jittered(seconds: int) -> int:
    """Vary a lifetime by a tenth, so that values loaded together do not expire together."""
    share = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - not a secret
    return max(1, round(seconds * share))
