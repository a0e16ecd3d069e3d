"""The real clock, thread and signals behind the rollout's ports."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from canary.errors import Interruption
from canary.processes import SIGNALS


class SystemClock:
    """The system's clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since some moment; on Linux, time asleep counts too."""
        if hasattr(time, "CLOCK_BOOTTIME"):
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


class Thread:
    """Calls a function every few seconds until it is stopped or the process ends."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, tick: Callable[[], None], interval: float) -> None:
        self._thread = threading.Thread(
            target=self._run, args=(tick, interval), name="canary-keeper", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def _run(self, tick: Callable[[], None], interval: float) -> None:
        while not self._stopped.wait(interval):
            tick()


class Signals:
    """The first signal stops the canary; while traffic is made safe, further ones wait."""

    def __init__(self) -> None:
        self._shielded = False
        self._waiting = ""

    def shield(self) -> None:
        self._shielded, self._waiting = True, ""

    def unshield(self) -> None:
        """Handle signals again, including one that arrived in the meantime."""
        self._shielded = False
        if self._waiting:
            self._interrupt(self._waiting)

    @contextmanager
    def handled(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._stop) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if self._shielded:
            self._waiting = name
        else:
            self._interrupt(name)

    def _interrupt(self, name: str) -> None:
        self._shielded, self._waiting = True, ""
        raise Interruption(name)
