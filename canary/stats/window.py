"""The mean of the newest periods finds a fault that starts late in a run.

The scale and correlation come from the periods before the window, so the tested periods cannot
inflate their own error.
"""

from __future__ import annotations

import numpy as np

from canary.stats.distributions import Floats
from canary.stats.paired import (
    Estimate,
    Mask,
    Noise,
    inflation,
    masked_median,
    paired_mean,
    weights,
)


def window_mean(d: Floats, v: Floats, noise: Noise, window: int, spare: int) -> Estimate:
    """Estimate the mean of the last ``window`` columns of ``d``.

    All but ``spare`` of these periods reach ``least``. So a short incident shows no lasting harm,
    however bad it is.
    """
    before = paired_mean(d[:, :-window], v[:, :-window], noise)
    d, v = d[:, -window:], v[:, -window:]
    mask = np.isfinite(d) & np.isfinite(v)
    n = mask.sum(axis=-1).astype(float)
    weight = weights(v, mask, noise)
    value = _tamed(d, weight, mask, noise.clip * np.sqrt(before.scale)[:, None])
    total = np.maximum(weight.sum(axis=-1), 1e-300)
    known = np.where(mask, v * weight, 0.0).sum(axis=-1) / np.maximum(n, 1)
    mean = (weight * value).sum(axis=-1) / total
    own = before.scale * _vif(before.phi, 1 - known, n) / total
    error = np.sqrt(own + noise.host**2)
    usable = (n >= window / 2) & (before.pairs >= 3)
    return Estimate(
        mean=mean,
        error=np.where(usable, error, np.inf),
        df=np.minimum(before.df * error**2 / np.maximum(own, 1e-300), 1e6),
        pairs=n,
        least=np.where(usable, _reached(d, mask, spare), -np.inf),
        scale=before.scale,
        phi=before.phi,
    )


def _tamed(d: Floats, weight: Floats, mask: Mask, reach: Floats) -> Floats:
    root = np.where(mask, np.sqrt(weight), 1.0)
    middle = masked_median(d, mask)[:, None]
    z = np.where(mask, (d - middle) * root, 0.0)
    return np.where(mask, middle + np.clip(z, -reach, reach) / root, 0.0)


def _vif(phi: Floats, environment: Floats, n: Floats) -> Floats:
    return 1.0 + np.clip(environment, 0.0, 1.0) * (inflation(phi, n) - 1.0)


def _reached(d: Floats, mask: Mask, spare: int) -> Floats:
    """Return the largest value that all but ``spare`` periods of each row reach."""
    ordered = np.sort(np.where(mask, d, np.inf), axis=-1)
    reached: Floats = ordered[:, min(spare, d.shape[1] - 1)]
    return np.where(np.isfinite(reached), reached, -np.inf)
