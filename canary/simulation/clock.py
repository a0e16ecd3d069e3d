"""A simulated clock, which advances when the canary waits."""

from __future__ import annotations

from collections.abc import Callable
from time import sleep


class Clock:
    """Simulated time, which also runs the background calls of a canary.

    ``pace`` is the number of real seconds that a simulated second takes.
    """

    def __init__(self, start: float, pace: float) -> None:
        self._now = start
        self._pace = pace
        self._tick: Callable[[], None] | None = None
        self._interval = 0.0
        self._next = 0.0

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        if self._pace:
            sleep(max(0.0, seconds) * self._pace)
        end = self._now + max(0.0, seconds)
        while self._tick is not None and self._next <= end:
            self._now = max(self._now, self._next)
            self._next += self._interval
            self._tick()
        self._now = end

    def skip(self, seconds: float) -> None:
        """Advance the clock without waiting, and without background calls."""
        self._now += seconds

    def start(self, tick: Callable[[], None], interval: float) -> None:
        self._tick, self._interval, self._next = tick, interval, self._now + interval

    def stop(self) -> None:
        self._tick = None
