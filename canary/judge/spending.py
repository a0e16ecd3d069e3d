"""The looks at one metric, and how its error rates are divided among them (alpha spending)."""

from __future__ import annotations

import bisect
import functools
from dataclasses import dataclass

from canary.stats.distributions import LARGEST_Z
from canary.stats.spending import moving_bound, spending_bounds

WINDOW = 18
MOST_LOOKS = 120


@dataclass(frozen=True, slots=True)
class Parts:
    """The shares of a count's alpha, by channel. Their sum is one."""

    expanding: float
    window: float
    exact: float
    ranks: float


COLD = Parts(0.4, 0.2, 0.4, 0.0)
RANKED = Parts(0.38, 0.19, 0.38, 0.05)


@dataclass(frozen=True, slots=True)
class Spending:
    """The looks at one metric, and its error rates.

    Attributes:
        horizon: periods in the longest run.
        first: periods until the first look that may decide.
        alpha: rate of false FAILs of this metric over all looks.
        beta: rate of wrong PASSes at the margin over all looks.
    """

    horizon: int
    first: int
    alpha: float
    beta: float

    @property
    def looks(self) -> tuple[int, ...]:
        """The periods seen by each look: a look every period, or fewer in a very long run."""
        stride = -(-self.horizon // MOST_LOOKS)
        return tuple(sorted({*range(self.horizon, self.first - 1, -stride), self.first}))

    def spent(self, seen: int) -> float:
        """Return the share of an error rate that may be spent in ``seen`` periods.

        It grows as the square of the time.
        """
        return max(min(seen, self.horizon) ** 2 / self.horizon**2, 0.0)

    def fail_bound(self, seen: int, part: float) -> float:
        """Return the z that shows harm after ``seen`` periods, at ``part`` of this alpha."""
        return _bound(self, self.alpha * part, seen)

    def pass_bound(self, seen: int) -> float:
        """Return the z that rules out harm beyond the margin after ``seen`` periods."""
        return _bound(self, self.beta, seen)

    def window_bound(self, part: float) -> float:
        """Return the z that shows harm in the moving window, at ``part`` of this alpha."""
        return moving_bound(self.alpha * part, WINDOW, max(self.horizon - WINDOW - 3, 1))


@functools.lru_cache(maxsize=4096)
def _bounds(spending: Spending, error: float) -> tuple[tuple[int, ...], tuple[float, ...]]:
    looks = spending.looks
    spent = [error * spending.spent(k) for k in looks]
    return looks, tuple(spending_bounds(spent, looks).tolist())


def _bound(spending: Spending, error: float, seen: int) -> float:
    looks, bounds = _bounds(spending, error)
    at = bisect.bisect_right(looks, seen) - 1
    return LARGEST_Z if at < 0 else bounds[at]
