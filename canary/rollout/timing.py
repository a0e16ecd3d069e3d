"""The times of one canary, in seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass

from canary.policy import Policy
from canary.sources.base import settled_end

SHORTEST_LEASE = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of one canary, in seconds.

    ``warmup`` and ``maximum`` count from the first traffic. The rest of ``minimum`` after the
    warm-up is divided evenly among the steps, and no step is shorter than its part.
    """

    period: int
    settle: float
    warmup: int
    minimum: int
    maximum: int
    steps: tuple[float, ...]

    @classmethod
    def of(cls, policy: Policy, settle: float | None) -> Timing:
        return cls(
            period=policy.period,
            settle=policy.period if settle is None else settle,
            warmup=policy.warmup,
            minimum=policy.minimum,
            maximum=policy.maximum,
            steps=policy.steps,
        )

    @property
    def lease(self) -> int:
        """Seconds of a lease: the proxy returns the traffic two periods after the last renewal."""
        return max(SHORTEST_LEASE, 2 * self.period - 1)

    @property
    def renewal(self) -> float:
        """Seconds between renewals. A lease survives three failed renewals."""
        return self.lease / 4

    @property
    def patience(self) -> float:
        """Seconds without readable alarms after which a bake stops: two periods."""
        return 2 * self.period

    def look(self, now: float) -> int:
        """Return the end of the newest data that can be judged at ``now``."""
        return settled_end(now, self.period, self.settle)

    def boundary(self, now: float) -> int:
        """Return the start of the first whole period at or after ``now``."""
        return math.ceil(now / self.period) * self.period

    def until(self, look: int) -> float:
        """Return the time from which the data up to ``look`` is complete."""
        return look + self.settle

    def last_call(self, end: int) -> float:
        """Return when to give up on a source whose newest data ends at ``end``.

        That is half a period after the next data was due. So a source that stops costs at most two
        periods of traffic.
        """
        return self.until(end + self.period) + self.period / 2

    def service(self, step: int) -> float:
        """Return the minimum duration of a step. The first one includes the warm-up."""
        rest = max(0, self.minimum - self.warmup)
        return rest / len(self.steps) + (self.warmup if step == 0 else 0)
