"""A copy of the cache in each process, valid only while Redis confirms it.

Redis announces every changed key on one connection (CLIENT TRACKING, broadcast). A thread pings on
that connection. The reply to a ping arrives after every announcement made before the ping, so
copies are valid for ``LEASE_SECONDS`` after the ping was sent. A writer waits that long before it
reports success. A process that is starved, disconnected or stopped loses its lease and reads from
Redis. C. Gray, D. Cheriton (1989), "Leases: an efficient fault-tolerant mechanism for distributed
file cache consistency", SOSP.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import redis

from app.cache import Cache, Count, Load
from app.metrics.slots import Counter

log = logging.getLogger("shop.cache")

LEASE_SECONDS = 0.1
PING_SECONDS = 0.025
#: The clocks of two hosts run at slightly different speeds.
MARGIN = 1.1
IDLE_SECONDS = 5.0
RETRY_SECONDS = 1.0
MOST = 10_000


class NearCache:
    """A cache in front of ``far``, the cache in Redis, which is also correct without it."""

    def __init__(self, far: Cache, client: redis.Redis, prefix: str, count: Count) -> None:
        """``client`` must use RESP3: older protocols have no announcements."""
        self._far = far
        self._client = client
        self._prefix = prefix
        self._count = count
        self._lock = threading.Lock()
        self._kept: dict[str, bytes] = {}
        self._changes = 0
        self._trusted_until = 0.0
        self._used_at = 0.0
        self._watcher: threading.Thread | None = None
        self._closing = threading.Event()

    def fetch(self, key: str, load: Load) -> bytes | None:
        now = time.monotonic()
        if now < self._trusted_until and (found := self._kept.get(key)):
            self._used_at = now
            self._count(Counter.CACHE_HITS)
            return found
        self._watch(now)
        changes = self._changes
        value = self._far.fetch(key, load)
        with self._lock:  # this key may have been announced meanwhile
            if value is not None and changes == self._changes and len(self._kept) < MOST:
                self._kept[key] = value
        return value

    def forget(self, key: str) -> None:
        self._far.forget(key)
        self._forget_copies([key.encode()])
        time.sleep(LEASE_SECONDS * MARGIN)

    def close(self) -> None:
        self._closing.set()
        if self._watcher:
            self._watcher.join()

    def _watch(self, now: float) -> None:
        """Start the watcher at first use, because a process may fork before."""
        self._used_at = now
        with self._lock:
            if self._watcher is None or not self._watcher.is_alive():
                self._watcher = threading.Thread(target=self._run, daemon=True)
                self._watcher.start()

    def _run(self) -> None:
        while not self._closing.is_set() and self._in_use():
            try:
                self._keep_trust()
            except redis.RedisError as error:
                log.info("the copies in this process are not used: %s", error)
                self._closing.wait(RETRY_SECONDS)
            finally:
                self._trusted_until = 0.0
                self._forget_copies(None)

    def _keep_trust(self) -> None:
        pool = self._client.connection_pool
        connection = pool.get_connection()
        try:
            connection._parser.set_invalidation_push_handler(self._announced)
            self._ask(connection, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", self._prefix)
            while not self._closing.is_set() and self._in_use():
                sent = time.monotonic()
                self._ask(connection, "PING")
                self._trusted_until = sent + LEASE_SECONDS
                self._closing.wait(PING_SECONDS)
        finally:
            connection.disconnect()  # type: ignore[no-untyped-call]
            pool.release(connection)

    def _in_use(self) -> bool:
        return time.monotonic() - self._used_at < IDLE_SECONDS

    @staticmethod
    def _ask(connection: Any, *command: str) -> None:
        connection.send_command(*command)
        connection.read_response()  # announcements that arrive first go to the handler

    def _announced(self, push: list[Any]) -> None:
        self._forget_copies(push[1])

    def _forget_copies(self, keys: list[bytes] | None) -> None:
        """Delete the copies of these keys; None means all keys, as in Redis."""
        with self._lock:
            self._changes += 1
            if keys is None:
                self._kept.clear()
            for key in keys or ():
                self._kept.pop(key.decode(), None)
