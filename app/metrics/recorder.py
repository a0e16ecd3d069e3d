"""Between the requests and their counters: a request only notes how it went.

A thread adds up what was noted, many at once. Counted one by one, between all else that a request
does, each would find the counters' code and data out of the processor's caches.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from multiprocessing.util import Finalize

from app.metrics.slots import Key, Slot

PAUSE_SECONDS = 0.05
"""So long an answer may be unseen by whoever reads the counters."""


class Recorder:
    """Adds to one slot. Its thread begins with the first note: a process may be forked before."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._noted: deque[tuple[Key, float]] = deque()  # appends need no lock
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._flushing = threading.Lock()

    def record(self, key: Key, seconds: float) -> None:
        """Note one answer."""
        self._noted.append((key, seconds))
        if self._thread is None:
            self._start()

    def flush(self) -> None:
        """Count what was noted until now."""
        with self._flushing:  # what is there now stays until this flush takes it
            self._slot.add([self._noted.popleft() for _ in range(len(self._noted))])

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                # A worker of the server is a child of multiprocessing, which knows no atexit.
                atexit.register(self.flush)
                Finalize(None, self.flush, exitpriority=0)
                self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(PAUSE_SECONDS)
            if self._noted:
                self.flush()
