"""Between the requests and their counters: a request only notes what happened.

A thread adds up what was noted, many at once. Counted one by one, between all else that a request
does, each would find the counters' code and data out of the processor's caches.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from multiprocessing.util import Finalize
from typing import TypeVar

from app.metrics.slots import Counter, Key, Slot

T = TypeVar("T")

PAUSE_SECONDS = 0.25
"""So long an answer may be unseen by whoever reads the counters; shorter pauses cost more."""


class Recorder:
    """Adds to one slot. Its thread begins with the first note: a process may be forked before."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._noted: dict[Key, deque[float]] = {}  # appends to a deque need no lock
        self._counted: list[deque[int]] = [deque() for _ in range(max(Counter) + 1)]
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._flushing = threading.Lock()

    def record(self, key: Key, seconds: float) -> None:
        """Note one answer."""
        try:
            self._noted[key].append(seconds)
        except KeyError:
            self._first(key).append(seconds)

    def count(self, counter: Counter) -> None:
        """Note one more."""
        self._counted[counter].append(1)

    def flush(self) -> None:
        """Count what was noted until now."""
        with self._flushing:  # what is there now stays until this flush takes it
            for key, noted in self._noted.copy().items():
                if noted:
                    self._slot.add(key, drained(noted))
            for counter in Counter:
                if counted := self._counted[counter]:
                    self._slot.count(counter, sum(drained(counted)))

    def _first(self, key: Key) -> deque[float]:
        """Return where answers of a key not seen before are noted."""
        with self._starting:
            if self._thread is None:
                # A worker of the server is a child of multiprocessing, which knows no atexit.
                atexit.register(self.flush)
                Finalize(None, self.flush, exitpriority=0)
                self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
                self._thread.start()
            return self._noted.setdefault(key, deque())

    def _run(self) -> None:
        while True:
            time.sleep(PAUSE_SECONDS)
            self.flush()


def drained(noted: deque[T]) -> list[T]:
    """Take what is there now; others may append meanwhile."""
    return [noted.popleft() for _ in range(len(noted))]
