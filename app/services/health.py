"""Health: whether this instance is alive, can serve, and should get new traffic."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import msgspec

from app.errors import StoreUnavailableError
from app.faults import Faults
from app.settings import Settings
from app.store import Store

#: A short outage of the database affects both colours. Removing both from the proxy would only
#: make the outage longer.
STORE_GRACE_SECONDS = 10.0
#: Seconds until a store that has responded is checked again.
CHECK_SECONDS = 2.0


class Status(msgspec.Struct):
    """The response of /status and /ready: 200 if healthy, 503 if not."""

    status: str
    reason: str
    environment: str
    colour: str
    release: str
    instance: str
    since: float
    faults: list[str]


class Health:
    def __init__(
        self,
        settings: Settings,
        store: Store,
        faults: Faults,
        published_until: Callable[[], int] = lambda: 0,
    ) -> None:
        self._settings = settings
        self._store = store
        self._faults = faults
        self.published_until = published_until
        self._since = time.time()
        self._store_answered = float("-inf")
        #: The start of the first check that the store has not answered yet.
        self._lost_since: float | None = None
        self._checking = threading.Lock()

    def status(self) -> Status:
        """Return whether the store responds and no stop is in progress."""
        return self._report(self._draining() or self._store_away())

    def ready(self) -> Status:
        """Return the same as ``status``, but tolerate a short outage of the store, and do not wait.

        A proxy allows a health check less time than a lost database takes to be noticed. So once
        the store has responded, it is checked in the background.
        """
        if self._store_answered == float("-inf"):
            return self._report(self._draining() or self._store_away())
        if time.monotonic() - self._store_answered > CHECK_SECONDS:
            self._check_in_background()
        since = self._lost_since
        away = 0.0 if since is None else time.monotonic() - since
        lost = f"store has not responded for {away:.0f} s" if away > STORE_GRACE_SECONDS else ""
        return self._report(self._draining() or lost)

    def gauges(self) -> dict[str, float]:
        """Return the gauges for /metrics; those of the carts only if the store responds."""
        gauges: dict[str, float] = {"faults": len(self._faults.active())}
        try:
            totals = self._store.totals()
        except StoreUnavailableError:
            return gauges
        return {**gauges, "carts": totals.carts, "cartsvalue": totals.value / 100}

    def _report(self, reason: str) -> Status:
        settings = self._settings
        return Status(
            status="unhealthy" if reason else "healthy",
            reason=reason,
            environment=settings.environment,
            colour=settings.colour,
            release=settings.release,
            instance=settings.instance,
            since=round(self._since, 3),
            faults=self._faults.active(),
        )

    def _draining(self) -> str:
        if self._settings.lame_duck_file.exists():
            return "draining: a stop is under way"
        return self._faults.unready()

    def _store_away(self) -> str:
        try:
            self._store.check()
        except StoreUnavailableError as error:
            return f"store does not respond: {error.reason[:200]}"
        self._store_answered = time.monotonic()
        self._lost_since = None
        return ""

    def _check_in_background(self) -> None:
        """Start a check of the store, unless one is running."""
        if self._checking.acquire(blocking=False):
            if self._lost_since is None:
                self._lost_since = time.monotonic()
            threading.Thread(target=self._check_once, daemon=True).start()

    def _check_once(self) -> None:
        try:
            self._store_away()
        finally:
            self._checking.release()
