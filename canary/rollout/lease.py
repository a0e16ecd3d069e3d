"""Keeps the weight lease and the lock alive, exactly as long as the canary itself is."""

from __future__ import annotations

import threading
from collections.abc import Callable

from canary.rollout.lock import Tenure
from canary.rollout.ports import Clock
from canary.rollout.timing import Timing
from canary.state.base import Holder, State
from canary.traffic.base import Traffic

STALLED_PERIODS = 4


class Keeper:
    """Renews from a thread of its own; stops renewing when the main thread no longer beats.

    So a canary that hangs, in whatever call, loses its lease as a dead one does.
    """

    def __init__(
        self, timing: Timing, clock: Clock, traffic: Traffic, state: State, holder: Holder
    ) -> None:
        self._timing = timing
        self._clock = clock
        self._traffic = traffic
        self._tenure = Tenure(state, holder, clock.monotonic)
        self._mutex = threading.Lock()
        self._beaten = clock.now()
        self._until: float | None = None  # of the lease; None while there is none
        self._refusal = ""  # the first since the last renewal
        self._lock_refusal = ""
        self._lost = ""

    @property
    def holder(self) -> Holder:
        return self._tenure.holder

    def take_lock(self, say: Callable[[str], None]) -> None:
        """Take the lock, which may take a while, or raise with who has it."""
        for pause in self._tenure.take(say):
            self._clock.sleep(pause)
        self.beat()  # to wait for the lock was not to hang

    def beat(self, patience: float = 0.0) -> None:
        """Say that the main thread is alive, and may be busy for ``patience`` seconds."""
        self._beaten = self._clock.now() + patience

    def leased(self) -> None:
        """Note that a weight was set, and the lease armed, just now."""
        with self._mutex:
            self._until = self._clock.now() + self._timing.lease

    def unleased(self) -> None:
        """Note that nothing is leased any more."""
        with self._mutex:
            self._until = None

    def lost(self) -> str:
        """Return why lease or lock is lost, or nothing."""
        return self._lost

    def tick(self) -> None:
        """Renew what is ours. Called from a thread: errors are kept, not raised."""
        now = self._clock.now()
        if now - self._beaten > STALLED_PERIODS * self._timing.period + self._timing.settle:
            self._lost = self._lost or "the canary stalled, so its lease was left to run out"
            return
        self._renew_lease(now)
        self._renew_lock(now)

    def _renew_lease(self, now: float) -> None:
        with self._mutex:
            if self._until is None or self._lost:
                return
            try:
                self._traffic.renew(self._timing.lease)
                self._until, self._refusal = now + self._timing.lease, ""
            except Exception as error:  # a thread has nobody to raise it to
                self._refusal = self._refusal or str(error)
                if self._clock.now() >= self._until:
                    self._lost = f"the weight lease could not be renewed: {self._refusal}"

    def _renew_lock(self, now: float) -> None:
        if self._tenure.over:
            reason = self._lock_refusal or "the canary was paused"
            self._lost = self._lost or f"the lock could not be renewed: {reason}"
        elif self._tenure.due:
            try:
                self._tenure.renew(now)
                self._lock_refusal = ""
            except Exception as error:  # a thread has nobody to raise it to
                self._lock_refusal = self._lock_refusal or str(error)
