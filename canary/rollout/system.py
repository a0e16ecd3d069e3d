"""The real clock, thread and signals behind the rollout's ports."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from canary.rollout.ports import Interruption

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SystemClock:
    """Time as everybody else has it."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


class Thread:
    """Calls a function every few seconds, until stopped; dies with the process, as it must."""

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
    """The first signal stops the canary; while traffic is made safe, further ones are ignored."""

    def __init__(self) -> None:
        self._shielded = False

    def shield(self) -> None:
        self._shielded = True

    @contextmanager
    def handled(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._stop) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if not self._shielded:
            self._shielded = True
            raise Interruption(signal.Signals(number).name)
