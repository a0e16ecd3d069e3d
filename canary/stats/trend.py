"""The slope of a series whose noise is correlated from period to period.

Reference:
    [1] P. Bloomfield, D. W. Nychka (1992), "Climate spectra and detecting climate change", Climatic
        Change 21, 275-287: the exact variance of a least-squares slope under AR(1) noise.
"""

from __future__ import annotations

import numpy as np

from canary.stats.distributions import Floats
from canary.stats.paired import MAX_PHI, Estimate, Noise, lag_one


def slope(d: Floats, noise: Noise) -> Estimate:
    """Return the least-squares slope per period of each row of ``d``, and its error [1].

    ``noise.host`` is the standard deviation of the difference of slopes of two equal arms.
    """
    mask = np.isfinite(d)
    n = mask.sum(axis=-1).astype(float)
    safe = np.maximum(n, 1.0)[:, None]
    time = np.where(mask, np.arange(d.shape[1], dtype=float), 0.0)
    x = np.where(mask, time - time.sum(axis=-1, keepdims=True) / safe, 0.0)
    y = np.where(mask, d, 0.0)
    y = np.where(mask, y - y.sum(axis=-1, keepdims=True) / safe, 0.0)
    squares = np.maximum((x * x).sum(axis=-1), 1e-12)
    rate = (x * y).sum(axis=-1) / squares
    residual = np.where(mask, y - rate[:, None] * x, 0.0)
    rho = lag_one(residual, mask) + 3.0 / np.maximum(n, 1.0)  # the fitted slope costs more bias
    weight = noise.phi_weight
    phi = np.clip((n * rho + weight * noise.phi) / (n + weight), 0.0, MAX_PHI)
    contrast = x / squares[:, None]
    vif = _quadratic(contrast, phi) * squares
    variance, freedom = _variance(residual, n, phi, noise)
    own = np.maximum(variance * vif / squares, 1e-300)
    error = np.sqrt(own + noise.host**2)
    few = n < 3
    return Estimate(
        mean=np.where(few, 0.0, rate),
        error=np.where(few, np.inf, error),
        df=np.where(few, 1.0, np.minimum((freedom + noise.tau_weight) * error**2 / own, 1e6)),
        pairs=n,
        least=np.where(few, -np.inf, rate),
        scale=variance,
        phi=phi,
    )


def _variance(residual: Floats, n: Floats, phi: Floats, noise: Noise) -> tuple[Floats, Floats]:
    freedom = np.maximum(n * (1 - phi**2) / (1 + phi**2) - 2, 0.0)
    vif = (1 + phi) / (1 - phi)
    left = np.maximum(n - np.minimum(2 * vif, n - 1.0), 0.5)
    seen = (residual**2).sum(axis=-1) / left
    prior = noise.tau_weight
    mixed = (prior * noise.tau**2 + freedom * seen) / (prior + freedom)
    return np.maximum(mixed, 1e-30), freedom


def _quadratic(contrast: Floats, phi: Floats) -> Floats:
    """Return c' R c for R_ij = phi ** |i - j|, row by row, in one pass."""
    carried = np.zeros(len(contrast))
    total = np.zeros(len(contrast))
    for t in range(contrast.shape[1]):
        now = contrast[:, t]
        total += now * now + 2 * now * phi * carried
        carried = phi * carried + now
    return total
