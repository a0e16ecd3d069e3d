"""A rank test of two series, for counts whose logs are too wild to average.

Reference:
    [1] H. B. Mann, D. R. Whitney (1947), "On a test of whether one of two random variables is
        stochastically larger than the other", Ann. Math. Stat. 18(1), 50-60; ties after E. L.
        Lehmann (1975), "Nonparametrics", ch. 1.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from canary.stats.distributions import Floats
from canary.stats.paired import Mask


def rank_z(x: Floats, y: Floats, mask: Mask) -> Floats:
    """Return the Mann-Whitney z of each row, positive where ``x`` tends to be larger [1].

    As ``scipy.stats.mannwhitneyu(x, y, method="asymptotic", use_continuity=False)``, p 0.09169:

    >>> x, y = np.array([[3.0, 4, 5, 6, 7]]), np.array([[1.0, 2, 3, 4, 5]])
    >>> round(float(rank_z(x, y, np.ones((1, 5), dtype=bool))[0]), 4)
    1.6865
    """
    both = np.concatenate([np.where(mask, x, np.inf), np.where(mask, y, np.inf)], axis=1)
    ranks = rankdata(both, axis=1)
    n = mask.sum(axis=1).astype(float)
    total = np.where(mask, ranks[:, : x.shape[1]], 0.0).sum(axis=1)
    u = total - n * (n + 1) / 2
    everything = np.concatenate([mask, mask], axis=1)
    own = np.where(everything, ranks, 0.0)
    # the variance of the ranks themselves holds the correction for ties
    squares = (own**2).sum(axis=1) - 2 * n * (n + 0.5) ** 2
    spread = np.sqrt(np.maximum(squares * n / (2 * (2 * n - 1).clip(1)), 1e-12))
    z: Floats = np.where(n >= 2, (u - n * n / 2) / spread, 0.0)
    return z
