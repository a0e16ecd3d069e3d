"""The recorder: a request only makes a note, and a thread updates the counters.

The thread counts many notes at once. If each request updated the counters itself, their code and
data would no longer be in the processor caches.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from multiprocessing.util import Finalize
from typing import TypeVar

from app.metrics.clients import group_of
from app.metrics.slots import Counter, Key, Slot

T = TypeVar("T")

PAUSE_SECONDS = 0.25
"""Longest time in seconds until a response is counted. Shorter pauses cost more."""


class Recorder:
    """Adds to one slot. Its thread starts with the first note, as a process may fork before."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._noted: dict[Key, deque[float]] = {}  # appending to a deque needs no lock
        self._seen: deque[tuple[str, bool]] = deque()
        self._counted: list[deque[int]] = [deque() for _ in range(max(Counter) + 1)]
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._flushing = threading.Lock()

    def record(self, key: Key, seconds: float) -> None:
        """Note one response."""
        try:
            self._noted[key].append(seconds)
        except KeyError:
            self._first(key).append(seconds)

    def client(self, address: str, *, failed: bool) -> None:
        """Note the client of a judged request."""
        self._seen.append((address, failed))

    def count(self, counter: Counter) -> None:
        """Note one event."""
        self._counted[counter].append(1)

    def flush(self) -> None:
        """Count all notes so far."""
        with self._flushing:  # only a flush removes notes
            for key, noted in self._noted.copy().items():
                if noted:
                    self._slot.add(key, drained(noted))
            seen = drained(self._seen)
            self._slot.add_clients((group_of(address), failed) for address, failed in seen)
            for counter in Counter:
                if counted := self._counted[counter]:
                    self._slot.count(counter, sum(drained(counted)))

    def _first(self, key: Key) -> deque[float]:
        """Return the queue for responses with a new key."""
        with self._starting:
            if self._thread is None:
                # A worker is a child of multiprocessing, which does not run atexit handlers.
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
    """Remove and return the current notes; other threads may append meanwhile."""
    return [noted.popleft() for _ in range(len(noted))]
