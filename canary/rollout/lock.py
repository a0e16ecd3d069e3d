"""The lock of an environment. It does not need synchronized clocks.

The holder renews the lock. If it cannot for one lease, by its own clock, it gives up. Another
process that wants the lock watches it. If the lock changes, its holder is alive. If it does not
change for one lease, by the watcher's clock, the watcher takes it. Both measure durations, not
times of day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from canary.errors import LockLostError, StateError
from canary.rollout.ports import Background, Clock
from canary.state.base import Holder, Lock

LOCK_SECONDS = 60.0
RENEWAL = LOCK_SECONDS / 4
POLL = 2.0


def taking(
    lock: Lock, holder: Holder, monotonic: Callable[[], float], say: Callable[[str], None]
) -> Iterator[float]:
    """Take the lock; yield how long to wait before continuing.

    Raises:
        StateError: a live process holds it.
    """
    watched, since = None, monotonic()
    while True:
        found = lock.holder()
        if found != watched:
            if watched is not None and found is not None:
                raise StateError(held(found))
            watched, since = found, monotonic()
            if found is not None and found.canary != holder.canary:
                say(f"{sentence(found)}; waiting {LOCK_SECONDS:.0f} s to see if it is alive")
        free = found is None or found.canary == holder.canary
        if (free or monotonic() - since >= LOCK_SECONDS) and lock.take(holder, found):
            return
        yield POLL


class Tenure:
    """A lock that this process took: its renewal, and whether this process still has it."""

    def __init__(self, lock: Lock, holder: Holder, monotonic: Callable[[], float]) -> None:
        self._lock = lock
        self._monotonic = monotonic
        self._renewed = monotonic()
        self.holder = holder

    def take(self, say: Callable[[str], None]) -> Iterator[float]:
        """Take the lock; yield how long to wait before continuing."""
        for pause in taking(self._lock, self.holder, self._monotonic, say):
            yield pause
            self._renewed = self._monotonic()  # before the request that takes it

    def retake(self) -> None:
        """Take over the lock from a process of the same canary that is known to be dead.

        Raises:
            LockLostError: the canary no longer has the lock.
        """
        began, found = self._monotonic(), self._lock.holder()
        if found is None or found.canary != self.holder.canary:
            now = sentence(found) if found else "it is free now"
            raise LockLostError(f"This canary no longer has the lock: {now}")
        holder = replace(self.holder, since=found.since, beat=found.beat + 1)
        if not self._lock.take(holder, found):
            raise LockLostError("The lock changed while it was taken over: another process has it")
        self.holder, self._renewed = holder, began

    @property
    def due(self) -> bool:
        return self._monotonic() - self._renewed >= RENEWAL

    @property
    def over(self) -> bool:
        """Return whether the last renewal is so long ago that another process may have the lock."""
        return self._monotonic() - self._renewed >= LOCK_SECONDS

    def renew(self, now: float) -> None:
        """Renew the lock unless it has expired; ``now`` is only for display."""
        began = self._monotonic()
        renewed = replace(self.holder, beat=self.holder.beat + 1, until=now + LOCK_SECONDS)
        self._lock.renew(renewed)
        self.holder, self._renewed = renewed, began


@contextmanager
def locked(
    lock: Lock, holder: Holder, clock: Clock, background: Background, say: Callable[[str], None]
) -> Iterator[Tenure]:
    """Hold the lock during a change of the environment that is not a canary."""
    tenure = Tenure(lock, holder, clock.monotonic)

    def tick() -> None:
        if tenure.due and not tenure.over:
            try:
                tenure.renew(clock.now())
            except Exception as error:  # a thread cannot raise it to anybody
                say(f"The lock could not be renewed: {error}")

    for pause in tenure.take(say):
        clock.sleep(pause)
    background.start(tick, POLL)
    try:
        yield tenure
    finally:
        background.stop()
        lock.free(tenure.holder)


def held(holder: Holder) -> str:
    return (
        f"{sentence(holder)}. Wait until it ends, or type canary stop --env ENVIRONMENT: a canary "
        "then returns all traffic to the live colour"
    )


def sentence(holder: Holder) -> str:
    """Return a sentence about the holder of the lock."""
    since = datetime.fromtimestamp(holder.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{holder.canary} is already running: {holder.who}, since {since}"
