"""A rank test of two series, for counts whose logs scatter too much for a mean.

Reference:
    [1] H. B. Mann, D. R. Whitney (1947), "On a test of whether one of two random variables is
        stochastically larger than the other", Ann. Math. Stat. 18(1), 50-60; ties after E. L.
        Lehmann (1975), "Nonparametrics", ch. 1.
"""

from __future__ import annotations

import numpy as np

from canary.stats.distributions import Floats
from canary.stats.paired import Mask


def average_ranks(values: Floats) -> Floats:
    """Return the rank of each value in its row, from 1; equal values share their mean rank.

    As ``scipy.stats.rankdata(values, axis=-1)``, without the time that importing it takes:

    >>> average_ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist()
    [3.5, 1.0, 3.5, 2.0]
    """
    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=-1)
    places = np.broadcast_to(np.arange(values.shape[-1]), values.shape)
    changed = np.ones(values.shape, dtype=bool)
    changed[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    first = np.maximum.accumulate(np.where(changed, places, 0), axis=-1)
    ends = np.ones(values.shape, dtype=bool)
    ends[..., :-1] = changed[..., 1:]
    last = np.where(ends, places, values.shape[-1])[..., ::-1]
    last = np.minimum.accumulate(last, axis=-1)[..., ::-1]
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, axis=-1)
    return ranks


def rank_z(x: Floats, y: Floats, mask: Mask) -> Floats:
    """Return the Mann-Whitney z of each row, positive where ``x`` tends to be larger [1].

    As ``scipy.stats.mannwhitneyu(x, y, method="asymptotic", use_continuity=False)``, p 0.09169:

    >>> x, y = np.array([[3.0, 4, 5, 6, 7]]), np.array([[1.0, 2, 3, 4, 5]])
    >>> round(float(rank_z(x, y, np.ones((1, 5), dtype=bool))[0]), 4)
    1.6865
    """
    both = np.concatenate([np.where(mask, x, np.inf), np.where(mask, y, np.inf)], axis=1)
    ranks = average_ranks(both)
    n = mask.sum(axis=1).astype(float)
    total = np.where(mask, ranks[:, : x.shape[1]], 0.0).sum(axis=1)
    u = total - n * (n + 1) / 2
    everything = np.concatenate([mask, mask], axis=1)
    own = np.where(everything, ranks, 0.0)
    # the variance of the actual ranks includes the correction for ties
    squares = (own**2).sum(axis=1) - 2 * n * (n + 0.5) ** 2
    spread = np.sqrt(np.maximum(squares * n / (2 * (2 * n - 1).clip(1)), 1e-12))
    z: Floats = np.where(n >= 2, (u - n * n / 2) / spread, 0.0)
    return z
