"""Learn the noise of an environment from windows in which both arms were the same (A/A).

Each row is one window. What is learned is what ``Noise`` holds: how much the environment adds to a
period, how long it remembers, how far two equal hosts differ for good, and how much wider than
their theory the resulting statistics are (kappa).
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
"""Share of the sampling variance at which the autocorrelation has half its weight."""
WORTH = 0.98
"""Scatter that a less plain estimator may have of the plainest one's, at most."""
_ROUNDS = 8


def learn_noise(d: Floats, v: Floats, start: Noise, *, rough: bool = False) -> Noise:
    """Return the noise of the windows ``d`` with known variances ``v``, beginning at ``start``.

    Rough noise has bursts in it. A few periods need it, since they cannot tell a burst from a
    change; many periods pull bursts in, and are as precise as the noise between bursts.
    """
    noise = replace(start, host=0.0, tau_weight=0.5, phi_weight=0.5)
    for _ in range(_ROUNDS):
        tau, phi = _within(d, v, noise, start.phi, rough=rough)
        noise = replace(noise, tau=tau, phi=phi)
    firm = replace(noise, tau_weight=start.tau_weight, phi_weight=start.phi_weight)
    return replace(firm, host=_between(d, v, firm))


def most_precise(choices: Sequence[tuple[Floats, Floats, Noise]]) -> Noise:
    """Learn the noise under each choice of clips, and return the one whose means scatter least.

    Each choice is differences, known variances, and where to begin. A later choice must be better
    by ``WORTH``: the first is the plain one.
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

    Where the environment adds next to nothing to the sampling noise, its autocorrelation cannot be
    estimated: phi is then the ``usual`` one.
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
    """Return the lasting difference between equal arms: what both ends of a window have in common.

    The scatter of whole windows would do if noise were known; what it is underestimated by would
    then count as a difference for good, which no longer run averages out.
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
    """Return how much wider than a standard normal the bulk of ``z`` is."""
    if z.size < 2:
        return 1.0
    return max(float(np.sqrt((z**2).mean())), float(np.quantile(np.abs(z), 0.95)) / 1.96)


def tail_width(z: Floats) -> float:
    """Return how much wider than a standard normal's the upper tail of ``z`` is.

    The larger of what the fifth and the third largest values say: far out, where verdicts are
    made, and yet not one window's accident.
    """
    if z.size < FEW:
        return 1.0
    ordered = np.sort(z)
    return max(float(ordered[-place]) / float(upper_tail_z(place / z.size)) for place in FAR_PLACES)


def kappa_of(*widths: float) -> float:
    """Return the largest of ``widths``: at least 1, at most ``MAX_KAPPA``."""
    return min(max(1.0, *widths), MAX_KAPPA)


def growing_widths(z: Mapping[int, Floats]) -> dict[int, float]:
    """Return kappa for each length from the scatter of its z alone.

    A lasting difference between equal arms adds to the variance in proportion to the length, so
    all lengths tell one slope together, which is firmer than each length's own scatter.
    """
    if not z:
        return {}
    beyond = {k: float((values**2).mean()) - 1.0 for k, values in z.items()}
    slope = sum(k * more for k, more in beyond.items()) / sum(k * k for k in beyond)
    return {k: kappa_of(float(np.sqrt(1.0 + max(slope, 0.0) * k))) for k in beyond}
