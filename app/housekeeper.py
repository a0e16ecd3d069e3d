"""The background process of an instance: publishes metrics; the leader also expires carts.

It is a separate process, so it cannot slow down a request. ``python -m app`` starts and restarts
it. On a stop signal, or when its parent has ended, it publishes the remaining metrics and ends.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from app import logs
from app.errors import StoreUnavailableError
from app.metrics.batch import Datum, environment_data
from app.metrics.publisher import Publisher, elect
from app.metrics.sink import Sink, cloudwatch
from app.settings import Settings, read_settings
from app.store import Store, open_store
from app.store.migrations import MigrationError

log = logging.getLogger("shop.housekeeper")

EXPIRE_AT_ONCE = 500
FLUSH_SECONDS = 4.0
#: A worker may still be recording the last response of the period.
SETTLE_SECONDS = 0.05


class Housekeeper:
    def __init__(self, settings: Settings, store: Store, sink: Sink | None, root: int) -> None:
        self._settings = settings
        self._store = store
        self._sink = sink
        self._publisher = Publisher(settings, self._put, root)
        self._migrated = False

    def period(self, start: int) -> None:
        """Do all work at the end of the period that began at ``start``."""
        self._publisher.publish(start)
        try:
            self._migrate()
            if self._store.lead():
                self._tend(start)
        except StoreUnavailableError as error:
            self._migrated = False  # the database may be another one when it comes back
            log.warning("carts cannot be counted or expired: %s", error.reason)
        except MigrationError as error:
            log.warning("not ready: %s", error)

    def last(self, start: int) -> None:
        """Publish the incomplete period before a stop."""
        self._publisher.publish(start)
        if self._sink:
            self._sink.close(FLUSH_SECONDS)

    def _migrate(self) -> None:
        """Migrate now if the store was unreachable when the server started."""
        if not self._migrated:
            self._store.migrate(patience=0.0)
            self._migrated = True

    def _tend(self, start: int) -> None:
        self._expire()
        totals = self._store.totals()
        where = {"Environment": self._settings.environment}
        self._put(environment_data(totals.carts, totals.value, start, where))

    def _expire(self) -> None:
        """Delete abandoned carts in batches, for at most half a period: metrics are due too."""
        until = time.monotonic() + self._settings.metrics_period / 2
        expired = gone = self._store.expire(self._settings.cart_ttl, EXPIRE_AT_ONCE)
        while gone == EXPIRE_AT_ONCE and time.monotonic() < until:
            gone = self._store.expire(self._settings.cart_ttl, EXPIRE_AT_ONCE)
            expired += gone
        if expired:
            log.info("%s abandoned carts expired", expired)

    def begin(self, start: int) -> None:
        """Begin with the period that starts at ``start``."""
        if self._sink:
            self._publisher.begin(start)

    def _put(self, data: list[Datum], sent: Callable[[], None] | None = None) -> None:
        if self._sink:
            self._sink.put(data, sent)


def main() -> int:
    """Run until a stop signal, or until the parent process has ended."""
    settings = read_settings()
    logs.configure(settings)
    parent = os.getppid()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    signal.signal(
        signal.SIGHUP, signal.SIG_IGN
    )  # the signal goes to the whole group, and the server handles it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # app.server blocks it
    lock = elect(settings)
    sink = cloudwatch(settings) if settings.metrics_sink == "cloudwatch" else None
    store = open_store(settings)
    keeper = Housekeeper(settings, store, sink, parent)
    _keep(keeper, settings.metrics_period, stop, parent)
    store.close()
    os.close(lock)
    return 0


def _keep(keeper: Housekeeper, period: int, stop: threading.Event, parent: int) -> None:
    start = int(time.time()) // period * period
    keeper.begin(start)
    while not stop.is_set() and os.getppid() == parent:
        left = start + period + SETTLE_SECONDS - time.time()
        if left > 0:
            stop.wait(min(left, 1.0))
            continue
        keeper.period(start)
        start = int(time.time()) // period * period
    keeper.last(start)


if __name__ == "__main__":
    sys.exit(main())
