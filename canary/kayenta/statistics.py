"""The Mann-Whitney interval as Kayenta computes it, artefacts of its root finder included.

Written from the description of R's ``wilcox.test(conf.int=TRUE, exact=FALSE)`` [1]_: the interval
holds the shifts that a two-sided, tie- and continuity-corrected rank test does not reject. Its ends
are found with Brent's method [2]_ to an *absolute* tolerance of 1e-4, which is why the answer
depends on the unit. To follow Kayenta the tolerance must stay, and so must the continuity
correction in the estimate, which R leaves out there; our own judge uses neither.

References:
    .. [1] Bauer, D. F. (1972). Constructing confidence sets using rank statistics. JASA 67.
    .. [2] Brent, R. P. (1973). Algorithms for Minimization Without Derivatives, chapter 4.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from canary.stats.ranks import average_ranks

TOLERANCE = 1e-4
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shift:
    """The shift between experiment and control: Hodges-Lehmann estimate and interval."""

    low: float
    high: float
    estimate: float


def mann_whitney(experiment: Floats, control: Floats, confidence: float = 0.98) -> Shift:
    """Return the interval of the shift between two samples, neither of them empty.

    >>> x, y = np.array([10.0, 20.0, 30.0, 40.0]), np.array([1.0, 2.0, 3.0, 4.0])
    >>> shift = mann_whitney(x, y, 0.95)
    >>> round(shift.low, 3), round(shift.high, 3), round(shift.estimate, 3)
    (6.0, 39.0, 22.5)
    """
    lowest, highest = experiment.min() - control.max(), experiment.max() - control.min()
    quantile = -lower_quantile(confidence)

    def end(quantile: float) -> float:
        return _crossing(
            lambda shift: rank_z(shift, quantile, experiment, control),
            float(lowest),
            float(highest),
        )

    return Shift(end(quantile), end(-quantile), end(0.0))


def lower_quantile(confidence: float) -> float:
    """Return the normal quantile at the lower end of a two-sided interval.

    >>> round(lower_quantile(0.95), 6)
    -1.959964
    """
    return float(ndtri((1 - confidence) / 2))


def rank_z(shift: float, quantile: float, x: Floats, y: Floats) -> float:
    """The z of the rank-sum test that ``x - shift`` and ``y`` are alike, less ``quantile``."""
    ranks = average_ranks(np.concatenate((x - shift, y)))
    size = x.size + y.size
    centred = float(ranks[: x.size].sum()) - x.size * (x.size + 1) / 2 - x.size * y.size / 2
    _, ties = np.unique(ranks, return_counts=True)
    tied = float((ties.astype(float) ** 3 - ties).sum()) / (size * (size - 1))
    spread = math.sqrt(x.size * y.size / 12 * (size + 1 - tied))
    correction = 0.5 * math.copysign(1.0, centred) if centred else 0.0
    return (centred - correction) / spread - quantile if spread else math.nan


def mean_ratio(experiment: Floats, control: Floats) -> float:
    """Return the ratio of the experiment's mean to the control's; NaN if either is 0."""
    if experiment.size == 0 or control.size == 0:
        return math.nan
    top, bottom = float(experiment.mean()), float(control.mean())
    return top / bottom if top and bottom else math.nan


def without_outliers(sample: Floats, factor: float = 3.0) -> Floats:
    """Return the sample inside its interquartile fences, widened to the 1st and 99th percentile."""
    if sample.size == 0:
        return sample
    lowest, first, third, highest = np.percentile(sample, (1, 25, 75, 99))
    reach = factor * (third - first)
    inside = (sample >= min(lowest, first - reach)) & (sample <= max(highest, third + reach))
    kept: Floats = sample[inside]
    return kept


def _crossing(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a falling function crosses zero, or the end nearest to it."""
    at_low, at_high = function(low), function(high)
    if not at_low > 0:
        return low
    if not at_high < 0:
        return high
    return _brent(function, (low, at_low), (high, at_high))


Place = tuple[float, float]


def _brent(function: Callable[[float], float], far: Place, best: Place) -> float:
    """Brent's zero finder, with the stopping rule of the Fortran ``zeroin`` that R uses."""
    before, other = far, far
    while True:
        last_step = best[0] - before[0]
        if abs(other[1]) < abs(best[1]):
            before, best, other = best, other, best
        enough = 2 * np.finfo(float).eps * abs(best[0]) + TOLERANCE / 2
        step = (other[0] - best[0]) / 2
        if abs(step) <= enough or best[1] == 0:
            return best[0]
        if abs(last_step) >= enough and abs(before[1]) > abs(best[1]):
            step = _interpolated(before, best, other, enough, last_step) or step
        if abs(step) < enough:
            step = math.copysign(enough, step)
        before, place = best, best[0] + step
        best = (place, function(place))
        if best[1] * other[1] > 0:
            other = before


def _interpolated(
    before: Place, best: Place, other: Place, enough: float, last_step: float
) -> float | None:
    """A secant or inverse quadratic step, if it lands well inside the bracket."""
    bracket, ratio = other[0] - best[0], best[1] / before[1]
    if before[0] == other[0]:
        top, bottom = bracket * ratio, 1 - ratio
    else:
        q, r = before[1] / other[1], best[1] / other[1]
        top = ratio * (bracket * q * (q - r) - (best[0] - before[0]) * (r - 1))
        bottom = (q - 1) * (r - 1) * (ratio - 1)
    top, bottom = (top, -bottom) if top > 0 else (-top, bottom)
    inside = top < 0.75 * bracket * bottom - abs(enough * bottom) / 2
    return top / bottom if inside and top < abs(last_step * bottom / 2) else None
