"""The difference between two arms in one period, and its known sampling variance.

Differences are natural logs of ratios, so units do not matter. They are rounded to ``QUANTUM``
decimals, so that the same data in milliseconds or seconds give the same bits.

References:
    [1] H. A. David, H. N. Nagaraja (2003), "Order Statistics", 3rd ed., ch. 10: the asymptotic
        variance of a sample quantile.
    [2] J. B. S. Haldane (1956), Ann. Hum. Genet. 20, 309-311; F. J. Anscombe (1956), Biometrika 43,
        461-464: adding one half makes the log of a small count nearly unbiased.
    [3] J. Aitchison, J. A. C. Brown (1957), "The Lognormal Distribution".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from canary.stats.distributions import Floats, Numbers
from canary.stats.paired import QUANTUM

LEAST_VARIANCE = 10.0 ** (-2 * QUANTUM)
"""Far below anything measurable, but not 0, because a weight is the inverse of a variance."""
ENOUGH = 4.0
"""The log of a count is nearly normal from this many expected events in the smaller arm on."""


def log_ratio(candidate: Floats, baseline: Floats) -> Floats:
    """Return log(candidate / baseline), exactly minus itself when the arms are swapped.

    Values without a logarithm count as missing, not as zero.

    >>> float(log_ratio(np.array([1100.0]), np.array([1000.0]))[0])
    0.0953101798
    """
    fine = (candidate > 0) & (baseline > 0) & np.isfinite(candidate) & np.isfinite(baseline)
    high = np.where(fine, np.maximum(candidate, baseline), 1.0)
    low = np.where(fine, np.minimum(candidate, baseline), 1.0)
    size: Floats = np.round(np.log(high / low), QUANTUM)
    return np.where(fine, np.where(candidate >= baseline, size, -size), np.nan)


def least_variance(d: Floats) -> Floats:
    """Return the variance of differences without a sample size, such as those of a gauge."""
    return np.where(np.isfinite(d), LEAST_VARIANCE, np.nan)


def mean_variance(spread: Numbers, candidate: Floats, baseline: Floats) -> Floats:
    """Return the variance of a log ratio of two means of lognormal values [3].

    ``spread`` is the standard deviation of the log of one value; the other arguments are sample
    sizes.
    """
    one = np.expm1(np.asarray(spread, dtype=float) ** 2)
    return _over_samples(one, candidate, baseline)


def quantile_variance(spread: Numbers, q: float, candidate: Floats, baseline: Floats) -> Floats:
    """Return the variance of a log ratio of two sample quantiles of lognormal values [1]."""
    density = math.exp(-0.5 * float(special.ndtri(q)) ** 2) / math.sqrt(2 * math.pi)
    one = np.asarray(spread, dtype=float) ** 2 * q * (1 - q) / density**2
    return _over_samples(one, candidate, baseline)


def _over_samples(one: Numbers, candidate: Floats, baseline: Floats) -> Floats:
    seen = (candidate > 0) & (baseline > 0)
    inverse = 1.0 / np.where(seen, candidate, 1.0) + 1.0 / np.where(seen, baseline, 1.0)
    return np.where(seen, one * inverse, np.nan)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Counts merged over neighbouring periods into blocks. An incomplete block is missing.

    ``closed`` is the period that completed the block, so that a later look adds blocks and never
    changes one. ``candidate`` and ``baseline`` are the logs of each arm's rate.
    """

    d: Floats
    v: Floats
    closed: Floats
    candidate: Floats
    baseline: Floats


def merge_counts(
    candidate: Floats,
    baseline: Floats,
    chances: tuple[Floats, Floats],
    enough: float = ENOUGH,
) -> Blocks:
    """Merge periods until both arms can expect ``enough`` events, and take the log rate ratio [2].

    ``chances`` are the candidate's and the baseline's, such as requests. In each period the events
    are divided by those expected at equal error rates. So the ratio stays unbiased if the split, or
    the error rate of both arms, changes.
    """
    columns = np.stack([candidate, baseline, *chances])
    good = np.isfinite(columns).all(axis=0)
    g, b, n_g, n_b = np.where(good, columns, 0.0)
    p = n_g / np.where(good, n_g + n_b, 1.0)
    parts = np.stack([g, b, (g + b) * p, (g + b) * (1 - p), n_g, n_b])
    out, closed = _accumulate(parts, enough)
    seen_g, seen_b, due_g, due_b, n_g, n_b = out
    return Blocks(
        d=log_ratio(seen_g + 0.5, seen_b + 0.5) - log_ratio(due_g, due_b),
        v=1 / due_g + 1 / due_b,
        closed=closed,
        candidate=np.log((seen_g + 0.5) / n_g),
        baseline=np.log((seen_b + 0.5) / n_b),
    )


def _accumulate(parts: Floats, enough: float) -> tuple[Floats, Floats]:
    """Sum ``parts`` over periods, and begin a new sum when parts 2 and 3 both reach ``enough``."""
    kinds, rows, periods = parts.shape
    out = np.full(parts.shape, np.nan)
    closed = np.full((rows, periods), np.inf)
    current = np.zeros((kinds, rows))
    block = np.zeros(rows, dtype=int)
    everyone = np.arange(rows)
    for t in range(periods):
        current = current + parts[:, :, t]
        done = np.minimum(current[2], current[3]) >= enough
        closed[everyone[done], block[done]] = t
        out[:, everyone[done], block[done]] = current[:, done]
        block = block + done
        current = np.where(done, 0.0, current)
    return out, closed
