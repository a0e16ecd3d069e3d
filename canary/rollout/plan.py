"""When a canary moves on, stops or gives up: a pure decision from time served and evidence."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from canary.model import Judgement, Verdict
from canary.policy import Policy
from canary.sources.base import settled_end

CAUTION = 0.8
"""Evidence that has come this far towards FAIL keeps more users off the candidate."""
SHORTEST_LEASE = 3


class Move(enum.Enum):
    """What to do after a look."""

    WAIT = "wait"
    ADVANCE = "advance"
    PASS = "pass"
    FAIL = "fail"
    GIVE_UP = "give up"


@dataclass(frozen=True, slots=True)
class Plan:
    """The times of one canary, in seconds.

    ``warmup`` and ``maximum`` count from the first traffic. What ``minimum`` leaves after the
    warm-up is shared out evenly: no step is shorter than its part.
    """

    period: int
    settle: float
    warmup: int
    minimum: int
    maximum: int
    steps: tuple[float, ...]

    @classmethod
    def of(cls, policy: Policy, settle: float | None) -> Plan:
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
        """The proxy takes traffic back within two periods of the last renewal."""
        return max(SHORTEST_LEASE, 2 * self.period - 1)

    @property
    def renewal(self) -> float:
        """Seconds between renewals: three may be lost before the lease is."""
        return self.lease / 4

    @property
    def patience(self) -> float:
        """Seconds for which alarms may be unknown before a bake stops: two periods."""
        return 2 * self.period

    def look(self, now: float) -> int:
        """Return the end of the data that can be judged at ``now``."""
        return settled_end(now, self.period, self.settle)

    def boundary(self, now: float) -> int:
        """Return the start of the first whole period at or after ``now``."""
        return math.ceil(now / self.period) * self.period

    def until(self, look: int) -> float:
        """Return the moment at which the data up to ``look`` has settled."""
        return look + self.settle

    def last_call(self, end: int) -> float:
        """Return when a source has to have answered that was heard up to ``end``.

        Half a period after it was due: silence then costs at most two periods of traffic.
        """
        return self.until(end + self.period) + self.period / 2

    def service(self, step: int) -> float:
        """Return how long a step lasts at least; the first one holds the warm-up too."""
        rest = max(0, self.minimum - self.warmup)
        return rest / len(self.steps) + (self.warmup if step == 0 else 0)

    def decide(self, judgement: Judgement, step: int, served: float, elapsed: float) -> Move:
        """Return the move after a look: ``served`` seconds of this step, ``elapsed`` of all.

        Raising a weight takes no proof, only time that was seen and shows no signs of harm; a
        promotion takes PASS.
        """
        if judgement.verdict is Verdict.FAIL:
            return Move.FAIL
        last = step == len(self.steps) - 1
        done = served >= self.service(step)
        if last and done and judgement.verdict is Verdict.PASS and elapsed >= self.minimum:
            return Move.PASS
        if elapsed >= self.maximum:
            return Move.GIVE_UP
        return Move.ADVANCE if not last and done and not caution(judgement) else Move.WAIT


def caution(judgement: Judgement) -> str:
    """Say why no more users should meet the candidate for now, or nothing."""
    heeded = [finding for finding in judgement.findings if not finding.muted]
    harmful = [finding.metric for finding in heeded if finding.towards_fail >= CAUTION]
    silent = [finding.metric for finding in heeded if finding.silent and finding.critical]
    if harmful:
        return f"{', '.join(harmful)} leans towards harm"
    return f"the candidate sends nothing of {', '.join(silent)}" if silent else ""
