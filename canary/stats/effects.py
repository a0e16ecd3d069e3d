"""From what two arms measured in one period to one difference, and its known variance.

Differences are natural logs of ratios, so no unit matters. They are rounded to ``QUANTUM``, far
below anything measurable, so that the same data in milliseconds or seconds give the same bits.

References:
    [1] H. A. David, H. N. Nagaraja (2003), "Order Statistics", 3rd ed., ch. 10: the asymptotic
        variance of a sample quantile.
    [2] J. B. S. Haldane (1956), Ann. Hum. Genet. 20, 309-311; F. J. Anscombe (1956), Biometrika 43,
        461-464: adding one half makes the log of a small count nearly unbiased.
    [3] J. Aitchison, J. A. C. Brown (1957), "The Lognormal Distribution".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from canary.stats.distributions import Floats, Numbers

QUANTUM = 10  # decimals
ENOUGH = 4.0
"""Expected events on the rarer side before the log of a count is near enough to normal."""


def log_ratio(candidate: Floats, baseline: Floats) -> Floats:
    """Return log(candidate / baseline), exactly minus itself when the arms are swapped.

    Values that have no logarithm are missing, not zero.

    >>> float(log_ratio(np.array([1100.0]), np.array([1000.0]))[0])
    0.0953101798
    """
    fine = (candidate > 0) & (baseline > 0) & np.isfinite(candidate) & np.isfinite(baseline)
    high = np.where(fine, np.maximum(candidate, baseline), 1.0)
    low = np.where(fine, np.minimum(candidate, baseline), 1.0)
    size: Floats = np.round(np.log(high / low), QUANTUM)
    return np.where(fine, np.where(candidate >= baseline, size, -size), np.nan)


def mean_variance(spread: Numbers, candidate: Floats, baseline: Floats) -> Floats:
    """Return the variance of a log ratio of two means of lognormal values [3].

    ``spread`` is the standard deviation of the log of one value, the others are sample sizes.
    """
    one = np.expm1(np.asarray(spread, dtype=float) ** 2)
    return _over_samples(one, candidate, baseline)


def quantile_variance(spread: Numbers, q: float, candidate: Floats, baseline: Floats) -> Floats:
    """Return the variance of a log ratio of two sample quantiles of lognormal values [1]."""
    density = stats.norm.pdf(special.ndtri(q))
    one = np.asarray(spread, dtype=float) ** 2 * q * (1 - q) / density**2
    return _over_samples(one, candidate, baseline)


def _over_samples(one: Numbers, candidate: Floats, baseline: Floats) -> Floats:
    seen = (candidate > 0) & (baseline > 0)
    inverse = 1.0 / np.where(seen, candidate, 1.0) + 1.0 / np.where(seen, baseline, 1.0)
    return np.where(seen, one * inverse, np.nan)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Counts merged over neighbouring periods, block by block; what is not closed is missing.

    ``closed`` is the period that completed the block, so that a later look adds blocks and never
    changes one.
    """

    d: Floats
    v: Floats
    closed: Floats
    events: Floats
    share: Floats


def merge_counts(
    candidate: Floats, baseline: Floats, share: Floats, enough: float = ENOUGH
) -> Blocks:
    """Merge periods until both arms can expect ``enough`` events, and take the log rate ratio [2].

    ``share`` is the part of each period's events that the candidate would have if both arms failed
    alike. The ratio is taken against the events expected, so a split or an error rate that both
    arms saw change does not bias it.
    """
    rows, periods = candidate.shape
    good = np.isfinite(candidate) & np.isfinite(baseline) & np.isfinite(share)
    out = np.full((4, rows, periods), np.nan)
    closed = np.full((rows, periods), np.inf)
    open_g, open_b, expected_g, expected_b = np.zeros((4, rows))
    block = np.zeros(rows, dtype=int)
    everyone = np.arange(rows)
    for t in range(periods):
        g, b = np.where(good[:, t], candidate[:, t], 0.0), np.where(good[:, t], baseline[:, t], 0.0)
        p = np.where(good[:, t], share[:, t], 0.0)
        open_g, open_b = open_g + g, open_b + b
        expected_g, expected_b = expected_g + (g + b) * p, expected_b + (g + b) * (1 - p)
        done = np.minimum(expected_g, expected_b) >= enough
        rows_done, column = everyone[done], block[done]
        closed[rows_done, column] = t
        out[:, rows_done, column] = (open_g[done], open_b[done], expected_g[done], expected_b[done])
        block = block + done
        open_g, open_b = np.where(done, 0.0, open_g), np.where(done, 0.0, open_b)
        expected_g, expected_b = np.where(done, 0.0, expected_g), np.where(done, 0.0, expected_b)
    seen_g, seen_b, due_g, due_b = out
    d = log_ratio(seen_g + 0.5, seen_b + 0.5) - log_ratio(due_g, due_b)
    return Blocks(d, 1 / due_g + 1 / due_b, closed, seen_g + seen_b, due_g / (due_g + due_b))
