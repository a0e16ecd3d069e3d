"""Boundaries that keep the error rate of a test that is repeated at many looks.

Alpha spending (Lan and DeMets) with the power family of Kim and DeMets; crossing probabilities by
the recursion of Armitage, McPherson and Rowe.

References:
    [1] P. Armitage, C. K. McPherson, B. C. Rowe (1969), "Repeated significance tests on
        accumulating data", JRSS A 132(2), 235-244.
    [2] K. K. G. Lan, D. L. DeMets (1983), "Discrete sequential boundaries for clinical trials",
        Biometrika 70(3), 659-663.
    [3] K. Kim, D. L. DeMets (1987), "Design and analysis of group sequential tests based on the
        type I error spending rate function", Biometrika 74(1), 149-154.
    [4] D. Siegmund, B. Yakir (2000), "Tail probabilities for the null distribution of scanning
        statistics", Bernoulli 6(2), 191-213; nu as in D. Siegmund (1985), "Sequential Analysis".
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy import optimize, special

from canary.stats.distributions import LARGEST_Z, Floats, upper_tail_z

_GRID = 0.05  # in standard deviations of one look; half of it changes no boundary by 0.001
_REACH = 8.0


def spending_bounds(spent: Sequence[float], information: Sequence[float]) -> Floats:
    """Return the one-sided z bound of each look, given the alpha spent up to each look.

    ``information`` is the amount of data at each look, on any scale. A look that may spend nothing
    has an infinite bound.

    Two looks of equal size, with a total of 0.025 spent as u squared:

    >>> [round(float(b), 3) for b in spending_bounds([0.00625, 0.025], [1, 2])]
    [2.498, 2.018]
    """
    return np.array(_bounds(tuple(map(float, spent)), tuple(map(float, information))))


@functools.lru_cache(maxsize=4096)
def _bounds(spent: tuple[float, ...], information: tuple[float, ...]) -> tuple[float, ...]:
    steps = np.diff(information, prepend=0.0)
    scale = math.sqrt(float(min(steps)))
    bounds: list[float] = []
    sums: Floats = np.zeros(1)
    density: Floats = np.ones(1) / _GRID  # all mass at zero before the first look
    for step, seen, (before, after) in zip(
        steps, information, pairwise((0.0, *spent)), strict=True
    ):
        deviation = math.sqrt(step) / scale
        bound = _solve(sums, density, deviation, after - before)
        sums, density = _advance(sums, density, deviation, bound)
        bounds.append(min(bound * scale / math.sqrt(seen), LARGEST_Z))
    return tuple(bounds)


def _solve(sums: Floats, density: Floats, deviation: float, spend: float) -> float:
    """Return the sum that the next step exceeds with probability ``spend``."""
    if spend <= 0:
        return math.inf

    def excess(bound: float) -> float:
        beyond = special.ndtr((sums - bound) / deviation)
        return math.log(float(np.dot(density, beyond)) * _GRID + 1e-300) - math.log(spend)

    low = float(sums[0]) - _REACH * deviation
    high = float(sums[-1]) + (LARGEST_Z + 1) * deviation
    return float(optimize.brentq(excess, low, high, xtol=1e-10))


def _advance(
    sums: Floats, density: Floats, deviation: float, bound: float
) -> tuple[Floats, Floats]:
    """Add one normal step to the sums that have not crossed, and remove those above ``bound``."""
    reach = math.ceil(_REACH * deviation / _GRID)
    offsets = np.arange(-reach, reach + 1) * _GRID
    kernel = np.exp(-0.5 * (offsets / deviation) ** 2)
    kernel /= kernel.sum()
    density = np.convolve(density, kernel)
    sums = np.arange(len(density)) * _GRID + (sums[0] - reach * _GRID)
    # of the last cell only the part below the bound counts
    inside = np.clip((bound - sums) / _GRID + 0.5, 0.0, 1.0)
    keep = (inside > 0) & (density > 1e-18)
    first, last = int(np.argmax(keep)), len(keep) - int(np.argmax(keep[::-1]))
    return sums[first:last], (density * inside)[first:last]


@functools.lru_cache(maxsize=1024)
def moving_bound(alpha: float, window: int, looks: int) -> float:
    """Return the z bound for the maximum of ``looks`` means over a window that moves by one period.

    P(max > c) is about P(Z > c) + looks (c / window) phi(c) nu(c sqrt(2 / window)), with
    nu(x) about exp(-0.583 x) for the overshoot in discrete time [4].

    >>> round(moving_bound(0.01, 18, 40), 2)
    3.19
    """

    def excess(c: float) -> float:
        density = math.exp(-0.5 * c * c) / math.sqrt(2 * math.pi)
        overshoot = math.exp(-0.583 * c * math.sqrt(2.0 / window))
        return float(special.ndtr(-c)) + looks * c / window * density * overshoot - alpha

    start = float(upper_tail_z(alpha))
    return start if looks <= 0 else float(optimize.brentq(excess, max(start, 0.0), LARGEST_Z))
