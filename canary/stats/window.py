"""The mean of the latest periods: finds a fault that starts late and a whole run averages away.

What is tested must not inflate its own error, so the scale and the correlation come from the
periods before the window.
"""

from __future__ import annotations

import numpy as np

from canary.stats.distributions import Floats
from canary.stats.paired import CLIP, Estimate, Mask, Noise, inflation, masked_median, paired_mean


def window_mean(d: Floats, v: Floats, noise: Noise, window: int, incident: int) -> Estimate:
    """Estimate the mean of the last ``window`` columns of ``d``.

    ``least`` is the mean, in units of its own error, that remains when the worst ``incident``
    neighbouring periods are left out: an incident of that length shows no lasting harm.
    """
    before = paired_mean(d[:, :-window], v[:, :-window], noise)
    d, v = d[:, -window:], v[:, -window:]
    mask = np.isfinite(d) & np.isfinite(v)
    n = mask.sum(axis=-1).astype(float)
    weight = np.where(mask, 1.0 / (np.where(mask, v, 1.0) + noise.tau**2), 0.0)
    value = _tamed(d, weight, mask, before.scale)
    total = np.maximum(weight.sum(axis=-1), 1e-300)
    known = np.where(mask, v * weight, 0.0).sum(axis=-1) / np.maximum(n, 1)
    mean = (weight * value).sum(axis=-1) / total
    own = before.scale * _vif(before.phi, 1 - known, n) / total
    error = np.sqrt(own + noise.host**2)
    rest = _rest(weight * value, weight, incident)
    rest_error = np.sqrt(
        before.scale * _vif(before.phi, 1 - known, n - incident) / np.maximum(rest[1], 1e-300)
        + noise.host**2
    )
    usable = (n >= window / 2) & (before.pairs >= 3)
    return Estimate(
        mean=mean,
        error=np.where(usable, error, np.inf),
        df=np.minimum(before.df * error**2 / np.maximum(own, 1e-300), 1e6),
        pairs=n,
        least=np.where(usable, rest[0] / rest_error, -np.inf),
        scale=before.scale,
        phi=before.phi,
    )


def _tamed(d: Floats, weight: Floats, mask: Mask, scale: Floats) -> Floats:
    root = np.where(mask, np.sqrt(weight), 1.0)
    middle = masked_median(d, mask)[:, None]
    reach = CLIP * np.sqrt(scale)[:, None]
    z = np.where(mask, (d - middle) * root, 0.0)
    return np.where(mask, middle + np.clip(z, -reach, reach) / root, 0.0)


def _vif(phi: Floats, environment: Floats, n: Floats) -> Floats:
    return 1.0 + np.clip(environment, 0.0, 1.0) * (inflation(phi, n) - 1.0)


def _rest(pull: Floats, weight: Floats, incident: int) -> tuple[Floats, Floats]:
    """Return the lowest mean without any ``incident`` neighbouring columns, and its weight."""
    columns = pull.shape[1]
    left = [
        [t for t in range(columns) if not start <= t < start + incident]
        for start in range(columns - incident + 1)
    ]
    weights = weight[:, left].sum(axis=-1)
    means = pull[:, left].sum(axis=-1) / np.maximum(weights, 1e-300)
    means = np.where(weights > 0, means, -np.inf)
    worst = means.argmin(axis=-1)[:, None]
    return (
        np.take_along_axis(means, worst, -1)[:, 0],
        np.take_along_axis(weights, worst, -1)[:, 0],
    )
