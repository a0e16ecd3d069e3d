"""Tests and intervals for counts of events.

References:
    [1] J. Przyborowski, H. Wilenski (1940), "Homogeneity of results in testing samples from Poisson
        series", Biometrika 31, 313-323: given the total, one Poisson count is binomial.
    [2] P. McCullagh, J. A. Nelder (1989), "Generalized Linear Models", 2nd ed., ch. 4.5: dividing
        by the Pearson dispersion.
    [3] C. J. Clopper, E. S. Pearson (1934), Biometrika 26, 404-413; F. Garwood (1936), Biometrika
        28, 437-442: exact limits.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from canary.stats.distributions import Floats, Numbers
from canary.stats.paired import Mask


def conditional_p(candidate: Numbers, total: Numbers, share: Numbers) -> Floats:
    """Return P(at least ``candidate`` of ``total`` events fall on the candidate) [1].

    Counts need not be whole, so that a dispersion can divide them [2].

    >>> round(float(conditional_p(5, 5, 0.5)), 5)
    0.03125
    """
    a = np.asarray(candidate, dtype=float)
    n = np.asarray(total, dtype=float)
    p: Floats = special.betainc(np.maximum(a, 1e-12), np.maximum(n - a, 0.0) + 1.0, share)
    return np.where(a > 0, p, 1.0)


def poisson_upper(count: Numbers, level: Numbers) -> Floats:
    """Return the exact upper limit of the mean of a Poisson ``count`` [3].

    >>> round(float(poisson_upper(0, 0.05)), 4)
    2.9957
    """
    upper: Floats = special.gammainccinv(np.asarray(count, dtype=float) + 1.0, level)
    return upper


def poisson_lower(count: Numbers, level: Numbers) -> Floats:
    """Return the exact lower limit of the mean of a Poisson ``count`` [3].

    >>> round(float(poisson_lower(5, 0.05)), 4)
    1.9701
    """
    a = np.asarray(count, dtype=float)
    lower: Floats = special.gammaincinv(np.maximum(a, 1e-12), level)
    return np.where(a > 0, lower, 0.0)


def rate_ratio_interval(
    candidate: Floats, baseline: Floats, share: Floats, level: float
) -> tuple[Floats, Floats, Floats]:
    """Return the exact lower limit of a rate ratio, its estimate, and its upper limit [1, 3].

    ``share`` is the candidate's part of the chances, ``level`` the error probability at each end.
    The estimate adds one half to both counts. Without any event the estimate is one.

    As ``scipy.stats.binomtest(8, 10).proportion_ci(0.9, "exact")``, 0.4931 to 0.9632, as odds:

    >>> one = np.array([8.0]), np.array([2.0]), np.array([0.5])
    >>> low, middle, high = rate_ratio_interval(*one, 0.05)
    >>> round(float(low[0]), 3), round(float(high[0]), 3)
    (0.973, 26.195)
    """
    odds = np.clip(share, 1e-12, 1 - 1e-12) / np.clip(1 - share, 1e-12, 1 - 1e-12)
    a, b = np.maximum(candidate, 1e-12), np.maximum(baseline, 1e-12)
    low = np.where(candidate > 0, special.betaincinv(a, baseline + 1.0, level), 0.0)
    high = np.where(baseline > 0, special.betaincinv(candidate + 1.0, b, 1 - level), 1.0)
    with np.errstate(divide="ignore"):
        ends = [np.where(p < 1, p / (1 - p), np.inf) / odds for p in (low, high)]
    middle = (candidate + 0.5) / (baseline + 0.5) / odds
    middle = np.where(candidate + baseline > 0, middle, 1.0)
    tiny = np.nextafter(0, 1)
    return np.maximum(ends[0], tiny), middle, ends[1]


def dispersion(
    candidate: Floats, events: Floats, share: Floats, mask: Mask, weight: float = 30.0
) -> tuple[Floats, Floats]:
    """Return each row's Pearson dispersion, and its degrees of freedom [2].

    Rows are series, columns are periods. The prior is a dispersion of one with ``weight`` degrees
    of freedom. The result is at least one.
    """
    seen = mask & (events > 0)
    fitted = _fitted(candidate, events, share, seen)
    up = fitted / np.where(seen, events, 1.0)
    spread = np.where(seen, np.maximum(events * up * (1 - up), 1e-9), 1.0)
    chi = np.where(seen, (candidate - fitted) ** 2 / spread, 0.0).sum(axis=-1)
    freedom = np.maximum(seen.sum(axis=-1) - 1.0, 0.0)
    phi: Floats = np.maximum((chi + weight) / (freedom + weight), 1.0)
    return phi, freedom + weight


def _fitted(candidate: Floats, events: Floats, share: Floats, mask: Mask) -> Floats:
    """Return the counts expected from each row's overall ratio."""
    seen = np.where(mask, candidate, 0.0).sum(axis=-1)
    due = np.where(mask, events * share, 0.0).sum(axis=-1)
    total = np.where(mask, events, 0.0).sum(axis=-1)
    odds = (seen + 0.5) / (total - seen + 0.5) * (total - due + 0.5) / (due + 0.5)
    up = share * odds[:, None]
    return np.where(mask, events * up / (up + 1 - share), 0.0)
