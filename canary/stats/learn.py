"""Learn the noise of an environment from windows in which both arms were the same (A/A).

Each row is one window. The fields of ``Noise`` are learned: the variance that the environment adds
to a period, its autocorrelation, and the lasting difference between two equal hosts. Kappa is
learned too: the ratio of a statistic's actual width to its theoretical one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from canary.stats.distributions import Floats, upper_tail_z
from canary.stats.paired import MAX_PHI, Mask, Noise, paired_mean, weights, winsorise

LEAST_TAU, LEAST_HOST = 0.005, 0.002
MAX_KAPPA = 3.0
END_SHARE = 0.4
FEW = 100
FAR_PLACES = (3, 5)
ROUGH_CLIP = 8.0
SEEN = 0.25
"""The environment's variance, as a share of the sampling variance, that gives phi half its
weight."""
WORTH = 0.98
"""A later choice of clips must scatter less than this share of the first one's scatter."""
_ROUNDS = 8


def learn_noise(d: Floats, v: Floats, start: Noise, *, rough: bool = False) -> Noise:
    """Return the noise of the windows ``d`` with known variances ``v``, beginning at ``start``.

    Rough noise includes bursts. A few periods need it, because a burst looks like a change in them.
    In many periods bursts are limited as outliers, so the noise between bursts applies.
    """
    noise = replace(start, host=0.0, tau_weight=0.5, phi_weight=0.5)
    for _ in range(_ROUNDS):
        tau, phi = _within(d, v, noise, start.phi, rough=rough)
        noise = replace(noise, tau=tau, phi=phi)
    firm = replace(noise, tau_weight=start.tau_weight, phi_weight=start.phi_weight)
    return replace(firm, host=_between(d, v, firm))


def most_precise(choices: Sequence[tuple[Floats, Floats, Noise]]) -> Noise:
    """Learn the noise with each choice of clips, and return the choice whose means scatter least.

    A choice is the differences, their known variances, and the noise to start from. The first
    choice is the simplest one. A later one must be better by ``WORTH``.
    """
    best, least = None, np.inf
    for d, v, start in choices:
        noise = learn_noise(d, v, start)
        means = paired_mean(d, v, noise)
        fine = means.pairs >= 4
        scatter = float(np.sqrt((means.mean[fine] ** 2).mean())) if fine.any() else np.inf
        if best is None or scatter < WORTH * least:
            best, least = noise, min(scatter, least)
    return best if best is not None else learn_noise(*choices[0])


def _within(
    d: Floats, v: Floats, noise: Noise, usual: float, *, rough: bool
) -> tuple[float, float]:
    """Return tau and phi from each window's scatter about its own mean."""
    mask = np.isfinite(d) & np.isfinite(v)
    weight = weights(v, mask, noise)
    clip = ROUGH_CLIP if rough else noise.clip
    tame, clipped = winsorise(d, weight, mask, clip)
    clipped = np.zeros_like(clipped) if rough else clipped
    total = np.maximum(weight.sum(axis=-1, keepdims=True), 1e-300)
    centre = (tame * weight).sum(axis=-1, keepdims=True) / total
    off = np.where(mask, tame - centre, 0.0) / (1 - clipped[:, None])
    n = mask.sum(axis=-1)
    usable = n >= 4
    own = float(np.where(mask, off**2 - v, 0.0)[usable].sum() / max(n[usable].sum(), 1))
    both = mask[:, 1:] & mask[:, :-1]
    lagged = float(
        np.where(both, off[:, 1:] * off[:, :-1], 0.0)[usable].sum() / max(both[usable].sum(), 1)
    )
    length = float(np.median(n[usable])) if usable.any() else 1.0
    return _uncentred((own, lagged), length, float(_mean_of(v, mask)), usual)


def _uncentred(
    moments: tuple[float, float], length: float, known: float, usual: float
) -> tuple[float, float]:
    """Correct both moments for centring each window on its own mean.

    If the environment adds almost nothing to the sampling noise, its autocorrelation cannot be
    estimated. Then phi is the ``usual`` one.
    """
    own, lagged = moments
    tau2, phi = max(own, LEAST_TAU**2), 0.0
    for _ in range(50):
        vif = (1 + phi) / (1 - phi) - 2 * phi * (1 - phi**length) / (length * (1 - phi) ** 2)
        lost = (tau2 * vif + known) / length
        tau2 = max(own + lost, LEAST_TAU**2)
        seen = tau2 / (tau2 + SEEN * known)
        phi = min(max(seen * (lagged + lost) / tau2 + (1 - seen) * usual, 0.0), MAX_PHI)
    return float(np.sqrt(tau2)), phi


def _mean_of(v: Floats, mask: Mask) -> Floats:
    mean: Floats = np.where(mask, v, 0.0).sum() / np.maximum(mask.sum(), 1)
    return mean


def _between(d: Floats, v: Floats, noise: Noise) -> float:
    """Return the lasting difference between equal arms: the covariance of both ends of a window.

    The scatter of whole windows would need the exact noise: any underestimate of it would count as
    a lasting difference, which a longer run does not average out.
    """
    end = max(int(d.shape[1] * END_SHARE), 2)
    firm = replace(noise, host=0.0, tau_weight=1e6, phi_weight=1e6)
    first, last = (paired_mean(d[:, part], v[:, part], firm) for part in (_head(end), _tail(end)))
    fine = (first.pairs >= 2) & (last.pairs >= 2)
    if fine.sum() < 2:
        return LEAST_HOST
    common = float((first.mean[fine] * last.mean[fine]).mean())
    return max(float(np.sqrt(max(common, 0.0))), LEAST_HOST)


def _head(length: int) -> slice:
    return slice(0, length)


def _tail(length: int) -> slice:
    return slice(-length, None)


def body_width(z: Floats) -> float:
    """Return the width of the bulk of ``z`` relative to a standard normal distribution."""
    if z.size < 2:
        return 1.0
    return max(float(np.sqrt((z**2).mean())), float(np.quantile(np.abs(z), 0.95)) / 1.96)


def tail_width(z: Floats) -> float:
    """Return the width of the upper tail of ``z`` relative to a standard normal distribution.

    It is the larger of the widths at the fifth and the third largest value: far in the tail, where
    verdicts are decided, but not set by one window alone.
    """
    if z.size < FEW:
        return 1.0
    ordered = np.sort(z)
    return max(float(ordered[-place]) / float(upper_tail_z(place / z.size)) for place in FAR_PLACES)


def kappa_of(*widths: float) -> float:
    """Return the largest of ``widths``: at least 1, at most ``MAX_KAPPA``."""
    return min(max(1.0, *widths), MAX_KAPPA)


def growing_widths(z: Mapping[int, Floats]) -> dict[int, float]:
    """Return kappa for each length, from the scatter of z at all lengths.

    A lasting difference between equal arms adds variance in proportion to the length. So one slope
    is fitted to all lengths, which is more precise than the scatter at each length.
    """
    if not z:
        return {}
    beyond = {k: float((values**2).mean()) - 1.0 for k, values in z.items()}
    slope = sum(k * more for k, more in beyond.items()) / sum(k * k for k in beyond)
    return {k: kappa_of(float(np.sqrt(1.0 + max(slope, 0.0) * k))) for k in beyond}
