"""One thread per URL, so that a slow URL does not delay the others."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from prober.probe import Prober, Result

LOG = logging.getLogger("prober")


class Watcher(threading.Thread):
    """Probes one URL at each multiple of the period: one probe per period of its metrics."""

    def __init__(self, prober: Prober, period: int, tell: Callable[[Result], None]) -> None:
        super().__init__(name=f"watch-{prober.target.name}", daemon=True)
        self._prober = prober
        self._period = period
        self._tell = tell
        self._stop = threading.Event()
        self._was: bool | None = None

    def run(self) -> None:
        while not self._stop.wait(self._period - time.time() % self._period):
            self._once()

    def stop(self) -> None:
        self._stop.set()

    def _once(self) -> None:
        try:
            result = self._prober.probe()
        except Exception as error:  # after a bug, the URL must still be probed
            LOG.exception("The probe of %s broke", self._prober.target.url)
            result = Result(
                self._prober.target.name, time.time(), available=False, reason=str(error)
            )
        if result.available is not self._was:
            LOG.info("%s %s", result.name, "responds" if result.available else result.reason)
            self._was = result.available
        self._tell(result)
