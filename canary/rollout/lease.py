"""Renews the weight lease and the lock while the canary's process is alive."""

from __future__ import annotations

import threading
from collections.abc import Callable

from canary.errors import LockLostError
from canary.rollout.lock import Tenure
from canary.rollout.ports import Clock
from canary.rollout.timing import Timing
from canary.state.base import Holder, State
from canary.traffic.base import Traffic

STALLED_PERIODS = 4


class Keeper:
    """Renews from its own thread, and stops when the main thread no longer reports in.

    So a canary that hangs loses its lease, as a dead one does.
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
        self._refusal = ""  # the first error since the last renewal
        self._lock_refusal = ""
        self._lost = ""

    @property
    def holder(self) -> Holder:
        return self._tenure.holder

    def take_lock(self, say: Callable[[str], None]) -> None:
        """Take the lock, or raise an error that names its holder. This may take a while."""
        for pause in self._tenure.take(say):
            self._clock.sleep(pause)
        self.beat()  # waiting for the lock did not count as hanging

    def retake_lock(self) -> None:
        """Take over the lock from an earlier process of this canary, which is dead."""
        self._tenure.retake()

    def beat(self, patience: float = 0.0) -> None:
        """Report that the main thread is alive, and may now be busy for ``patience`` seconds."""
        self._beaten = self._clock.now() + patience

    def leased(self) -> None:
        """Record that a weight was set, with a lease."""
        with self._mutex:
            self._until = self._clock.now() + self._timing.lease

    def unleased(self) -> None:
        """Record that there is no lease any more."""
        with self._mutex:
            self._until = None

    def lost(self) -> str:
        """Return why the lease or the lock is lost, or an empty string."""
        return self._lost

    def tick(self) -> None:
        """Renew lease and lock. It runs in a thread, so errors are kept, not raised."""
        now = self._clock.now()
        if now - self._beaten > STALLED_PERIODS * self._timing.period + self._timing.settle:
            self._lost = self._lost or "the canary stalled, so its lease was not renewed"
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
            except Exception as error:  # a thread cannot raise it to anybody
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
            except LockLostError as error:
                self._lost = self._lost or str(error)
            except Exception as error:  # a thread cannot raise it to anybody
                self._lock_refusal = self._lock_refusal or str(error)
