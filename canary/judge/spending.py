"""When one metric is looked at, and how its error rates are spent over these looks."""

from __future__ import annotations

import bisect
import functools
from dataclasses import dataclass

from canary.stats.distributions import LARGEST_Z
from canary.stats.spending import moving_bound, spending_bounds

WINDOW = 18
MOST_LOOKS = 120
RESERVE = 0.05
"""Share of the error rates that is kept for runs that are made longer."""


@dataclass(frozen=True, slots=True)
class Spending:
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
def _bounds(spending: Spending, error: float) -> tuple[tuple[int, ...], tuple[float, ...]]:
    looks = spending.looks
    spent = [error * spending.spent(k) for k in looks]
    return looks, tuple(spending_bounds(spent, looks).tolist())


def _bound(spending: Spending, error: float, seen: int) -> float:
    looks, bounds = _bounds(spending, error)
    at = bisect.bisect_right(looks, seen) - 1
    return LARGEST_Z if at < 0 else bounds[at]
