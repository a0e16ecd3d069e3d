"""A lock between requests and snapshots: a snapshot runs while no request runs.

The response to a request that changed something waits until a snapshot has the change, so it
survives a kill -9. Simultaneous requests share one snapshot.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOG = logging.getLogger(__name__)
PATIENCE = 5.0


class Gate:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._closed = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Hold the lock together with other requests."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock alone. If a request does not end within PATIENCE, continue beside it."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._closed = True
            self._changed.wait_for(lambda: self._inside == 0, timeout=PATIENCE)
        try:
            yield
        finally:
            with self._changed:
                self._closed = False
                self._changed.notify_all()


class Keeper:
    """Saves changes, and lets callers wait until their change is saved."""

    def __init__(self, gate: Gate, save: Callable[[], object]) -> None:
        self.gate = gate
        self.save = save
        self.failure = ""
        self._changed = threading.Condition()
        self._wanted = 0
        self._saved = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Save once more and stop."""
        with self._changed:
            self._wanted += 1
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()

    def note(self) -> None:
        """Request a save without waiting for it."""
        with self._changed:
            self._wanted += 1
            self._changed.notify_all()

    def keep(self, timeout: float = PATIENCE) -> None:
        """Wait until a save that began after this call is on disk or has failed."""
        with self._changed:
            self._wanted += 1
            mine = self._wanted
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._saved >= mine, timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted > self._saved or self._stopping)
                mine = self._wanted
                done = self._stopping and mine == self._saved
            if done:
                return
            self._save()
            with self._changed:
                self._saved = mine
                self._changed.notify_all()

    def _save(self) -> None:
        started = time.monotonic()
        try:
            with self.gate.alone():
                self.save()
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"
            LOG.exception("The state could not be saved; the previous snapshot remains")
        else:
            self.failure = ""
            LOG.debug("saved in %.1f ms", (time.monotonic() - started) * 1000)
