"""What one metric must show at which look, in plain numbers."""

from __future__ import annotations

import bisect
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from canary.stats.distributions import LARGEST_Z, Floats
from canary.stats.paired import Noise
from canary.stats.spending import moving_bound, spending_bounds

WINDOW = 18
MANY = 16
"""Periods from which a burst can be told from a change."""
MOST_LOOKS = 120
RESERVE = 0.05
"""Share of the error rates that is kept for runs that are made longer."""
EXPANDING, WINDOWED = 0.8, 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """When one metric is looked at, and how much error it may make.

    Attributes:
        horizon: periods in the longest run.
        first: periods before the first look that may decide.
        alpha: false FAILs that this metric may cause over all looks.
        beta: wrong PASSes at the margin over all looks.
        extensions: for each time the run was made longer: periods seen then, and the new horizon.
    """

    horizon: int
    first: int
    alpha: float
    beta: float
    extensions: tuple[tuple[int, int], ...] = ()

    @property
    def end(self) -> int:
        """The last period, extensions included."""
        return max([self.horizon, *(horizon for _, horizon in self.extensions)])

    @property
    def looks(self) -> tuple[int, ...]:
        """Periods seen at each look: every period, or evenly fewer in a very long run."""
        stride = -(-self.end // MOST_LOOKS)
        return tuple(sorted({*range(self.end, self.first - 1, -stride), self.first}))

    def spent(self, seen: int) -> float:
        """Return the share of an error rate that may be spent in ``seen`` periods.

        The square of the time, up to what is kept for extensions; each extension spreads what is
        left, and half of what was kept, over the time that it adds.
        """
        at, share, horizon, total, kept = 0, 0.0, self.horizon, 1 - RESERVE, RESERVE
        for decided, longer in self.extensions:
            if seen <= decided:
                break
            share = _spread(share, total, at, horizon, decided)
            at, horizon = min(decided, longer - 1), longer
            total, kept = total + kept / 2, kept / 2
        return _spread(share, total, at, horizon, seen)

    def fail_bound(self, seen: int, part: float) -> float:
        """Return the z that shows harm after ``seen`` periods, at ``part`` of this alpha."""
        return _bound(self, self.alpha * part, seen)

    def pass_bound(self, seen: int) -> float:
        """Return the z that rules the margin out after ``seen`` periods."""
        return _bound(self, self.beta, seen)

    def window_bound(self, part: float) -> float:
        """Return the z that shows harm in the moving window, at ``part`` of this alpha."""
        return moving_bound(self.alpha * part, WINDOW, max(self.end - WINDOW - 3, 1))


def _spread(share: float, total: float, start: int, end: int, seen: int) -> float:
    """Spend what is left of ``total`` from ``start`` to ``end``, as the square of the time."""
    reached = (min(seen, end) ** 2 - start**2) / (end**2 - start**2)
    return share + (total - share) * max(reached, 0.0)


@functools.lru_cache(maxsize=4096)
def _bounds(plan: Plan, error: float) -> tuple[tuple[int, ...], tuple[float, ...]]:
    looks = plan.looks
    spent = [error * plan.spent(k) for k in looks]
    return looks, tuple(spending_bounds(spent, looks).tolist())


def _bound(plan: Plan, error: float, seen: int) -> float:
    looks, bounds = _bounds(plan, error)
    at = bisect.bisect_right(looks, seen) - 1
    return LARGEST_Z if at < 0 else bounds[at]


@dataclass(frozen=True, slots=True)
class Rule:
    """One metric's rule.

    Attributes:
        sign: +1 where an increase is harm, -1 where a decrease is.
        margin: accepted harm on the scale of the differences (a log ratio, or a level's unit).
        gate: least estimate that can FAIL: small harm, however certain, is within the margin.
        noise: of the differences once there are ``MANY`` periods.
        rough: of the differences with bursts in it, for fewer periods and for the window.
        negligible: extra events per request that nobody minds (counts only).
        drift_margin: accepted growth per period (levels only).
        drift: noise of the slope (levels only).
        dense: blocks of counts that a period completes, where known (counts only).
        widths: kappa by channel and length, as ``kappa_<channel>_<periods>``.
    """

    plan: Plan
    sign: float
    margin: float
    gate: float
    noise: Noise
    rough: Noise
    drift: Noise
    drift_margin: float
    negligible: float = 0.0
    dense: float | None = None
    widths: Mapping[str, float] = field(default_factory=dict)

    def size(self, effect: Floats) -> Floats:
        """Return an estimate in units of the least that can FAIL."""
        return effect / self.gate if self.gate > 0 else np.ones_like(effect)

    def noise_at(self, seen: int) -> Noise:
        """Return the noise that ``seen`` periods are held against."""
        return self.noise if seen >= MANY else self.rough

    def kappa(self, channel: str, seen: int) -> float:
        """Return how much wider than its theory a channel's z is on A/A data after ``seen``.

        Known at a few lengths, and read off between them on the logarithm of the length.
        """
        nodes = sorted(
            (int(name.rsplit("_", 1)[1]), width)
            for name, width in self.widths.items()
            if name.startswith(f"kappa_{channel}_")
        )
        if not nodes:
            return 1.0
        at, widths = zip(*nodes, strict=True)
        return float(np.interp(math.log(max(seen, 1)), np.log(at), widths))
