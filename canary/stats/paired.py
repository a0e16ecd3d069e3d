"""The mean of a paired series, robust to bursts and corrected for autocorrelation.

There is one difference per period and series, with a variance known from its sample sizes. The
environment adds a learned variance, which is correlated from period to period, and a lasting
difference between two equal hosts.

References:
    [1] P. J. Huber (1964), "Robust estimation of a location parameter", Ann. Math. Stat. 35(1),
        73-101; winsorised variance after Tukey and McLaughlin (1963), Sankhya A 25, 331-352.
    [2] G. E. P. Box, G. M. Jenkins, G. C. Reinsel, "Time Series Analysis", ch. 2: variance of the
        mean of an AR(1) series; M. H. Quenouille (1949), JRSS B 11, 68-84: bias of its estimate.
    [3] F. E. Satterthwaite (1946), "An approximate distribution of estimates of variance
        components", Biometrics Bulletin 2(6), 110-114.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from canary.stats.distributions import Floats, Numbers

Mask = npt.NDArray[np.bool_]

QUANTUM = 10
"""Decimals of logs: far below anything measurable, so the unit does not change the last bit."""
MAD_TO_SD = 1.4826
MAX_CLIPPED = 0.3
MAX_PHI = 0.97
KNOWN_WEIGHT = 20.0
BURST = 3
"""A burst of up to this many periods must not decide a verdict alone."""


@dataclass(frozen=True, slots=True)
class Noise:
    """The prior of a series: its expected noise, and the weight of that expectation.

    Attributes:
        tau: standard deviation that the environment adds to one period's difference.
        phi: correlation of that addition from one period to the next.
        host: standard deviation of the lasting difference between two equal arms.
        tau_weight: how many degrees of freedom ``tau`` is worth.
        phi_weight: how many periods ``phi`` is worth.
        wider: the share of ``tau_weight`` that counts if the data scatter more than expected.
        clip: a difference is limited to this many robust standard deviations (winsorised).
        arm_clip: the same limit for each arm before the difference is taken. It helps where the
            arms share little noise, because a burst then stands out in its own arm.
    """

    tau: float
    phi: float
    host: float
    tau_weight: float = 6.0
    phi_weight: float = 20.0
    wider: float = 1.0
    clip: float = 2.5
    arm_clip: float = math.inf


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mean difference per series, its error, and the data behind it."""

    mean: Floats
    error: Floats
    df: Floats
    pairs: Floats
    least: Floats
    scale: Floats
    phi: Floats

    @property
    def t(self) -> Floats:
        """The mean in units of its error."""
        return self.mean / self.error


def masked_median(values: Floats, mask: Mask) -> Floats:
    """Return the median of the masked values of each row; 0 where there are none."""
    ordered = np.sort(np.where(mask, values, np.inf), axis=-1)
    count = mask.sum(axis=-1)
    rows = np.arange(len(values))
    low = ordered[rows, np.maximum((count - 1) // 2, 0)]
    high = ordered[rows, np.minimum(count // 2, values.shape[-1] - 1)]
    return np.where(count > 0, 0.5 * (low + high), 0.0)


def inflation(phi: Numbers, count: Numbers) -> Floats:
    """Return the ratio of an AR(1) mean's variance to that of independent values [2].

    >>> round(float(inflation(0.5, 10)), 4)
    2.6004
    """
    phi, n = np.asarray(phi, dtype=float), np.maximum(np.asarray(count, dtype=float), 1.0)
    vif: Floats = (1 + phi) / (1 - phi) - 2 * phi * (1 - phi**n) / (n * (1 - phi) ** 2)
    return vif


def weights(v: Floats, mask: Mask, noise: Noise) -> Floats:
    """Return each period's weight, the inverse of its total variance; 0 where it is missing."""
    return np.where(mask, 1.0 / (np.where(mask, v, 1.0) + noise.tau**2), 0.0)


def winsorise(
    d: Floats, weight: Floats, mask: Mask, clip: float, floor: float = 0.15
) -> tuple[Floats, Floats]:
    """Limit outliers to ``clip`` robust deviations from the median [1]; return their share too."""
    root = np.sqrt(weight)
    middle = masked_median(d, mask)[:, None]
    z = np.where(mask, (d - middle) * root, 0.0)
    reach = clip * np.maximum(MAD_TO_SD * masked_median(np.abs(z), mask), floor)[:, None]
    pulled = np.clip(z, -reach, reach)
    clipped = ((np.abs(z) > reach) & mask).sum(axis=-1) / np.maximum(mask.sum(axis=-1), 1)
    tame = middle + pulled / np.where(mask, root, 1.0)
    return np.where(mask, tame, 0.0), np.minimum(clipped, MAX_CLIPPED)


def clip_arms(d: Floats, candidate: Floats, baseline: Floats, v: Floats, clip: float) -> Floats:
    """Winsorise each arm by itself, and return the differences.

    ``candidate`` and ``baseline`` are the arms' logs. The limit is at least the arm's share of the
    sampling error, so that counts with few distinct values keep them.
    """
    if math.isinf(clip):
        return d
    mask = np.isfinite(d) & np.isfinite(v)
    least = np.sqrt(masked_median(v, mask) / 2)
    return d + _pull(candidate, mask, least, clip) - _pull(baseline, mask, least, clip)


def _pull(x: Floats, mask: Mask, least: Floats, clip: float) -> Floats:
    off = np.round(np.where(mask, x - masked_median(x, mask)[:, None], 0.0), QUANTUM)
    scale = np.maximum(MAD_TO_SD * masked_median(np.abs(off), mask), least)
    reach = clip * scale[:, None]
    return np.clip(off, -reach, reach) - off


def lag_one(residual: Floats, mask: Mask) -> Floats:
    """Return the lag-one autocorrelation over adjacent pairs, corrected for its bias [2]."""
    both = mask[:, 1:] & mask[:, :-1]
    r = np.where(mask, residual, 0.0)
    pairs = np.maximum(both.sum(axis=-1), 1)
    n = np.maximum(mask.sum(axis=-1), 1)
    variance = np.maximum((r * r).sum(axis=-1) / n, 1e-300)
    rho = np.where(both, r[:, 1:] * r[:, :-1], 0.0).sum(axis=-1) / pairs / variance
    rho = np.clip(rho, -1.0, 1.0)
    corrected: Floats = rho + (1 + 3 * np.maximum(rho, 0.0)) / n
    return corrected


def paired_mean(d: Floats, v: Floats, noise: Noise) -> Estimate:
    """Estimate the mean of each row of ``d``, whose known variances are ``v``.

    The error has an AR(1) part and an independent part, both scaled by the residuals' scatter, and
    the hosts' lasting difference, which no run averages out.
    """
    mask = np.isfinite(d) & np.isfinite(v)
    n = mask.sum(axis=-1).astype(float)
    weight = weights(v, mask, noise)
    tame, clipped = winsorise(d, weight, mask, noise.clip, 0.7 if d.shape[1] < 10 else 0.15)
    total = np.maximum(weight.sum(axis=-1), 1e-300)
    mean = (weight * tame).sum(axis=-1) / total
    residual = (tame - mean[:, None]) * np.sqrt(weight)
    known = np.where(mask, v * weight, 0.0).sum(axis=-1) / np.maximum(n, 1)
    phi, vif = _autocorrelation(residual, mask, 1.0 - known, noise)
    prior = _prior_weight(1.0 - known, noise)
    scale, freedom = _scale(residual, (n, vif, phi, clipped), prior, noise.wider)
    scale = np.maximum(scale, known)
    own = scale * vif / total
    error = np.sqrt(own + noise.host**2)
    df = freedom * error**2 / own
    empty = n < 1
    return Estimate(
        mean=np.where(empty, 0.0, mean),
        error=np.where(empty, np.inf, error),
        df=np.where(empty, 1.0, np.minimum(df, 1e6)),
        pairs=n,
        least=_without_burst(tame, weight, mask, total),
        scale=scale,
        phi=phi,
    )


def _autocorrelation(
    residual: Floats, mask: Mask, environment: Floats, noise: Noise
) -> tuple[Floats, Floats]:
    """Return the phi of the environment's part, and the inflation of the mean's variance.

    ``environment`` is the share of the variance that is not sampling noise. Sampling noise is
    independent between periods, so the series' lag-one correlation is that share times phi.
    """
    n = mask.sum(axis=-1)
    share = np.clip(environment, 0.0, 1.0)
    expected = share * noise.phi
    rho = (n * lag_one(residual, mask) + noise.phi_weight * expected) / (n + noise.phi_weight)
    rho = np.clip(rho, 0.0, MAX_PHI)
    phi = np.maximum(rho, noise.phi) if noise.phi > 0 else rho
    correlated = np.where(phi > 0, np.minimum(rho / np.maximum(phi, 1e-9), 1.0), 0.0)
    return phi, 1.0 + correlated * (inflation(phi, n) - 1.0)


def _prior_weight(environment: Floats, noise: Noise) -> Floats:
    """Return the degrees of freedom of the expected variance [3].

    Only the environment's share of the variance is uncertain.
    """
    known_well: Floats = noise.tau_weight / np.maximum(environment, 0.05) ** 2
    return np.minimum(known_well, max(noise.tau_weight, KNOWN_WEIGHT))


def _scale(
    residual: Floats, known: tuple[Floats, Floats, Floats, Floats], prior: Floats, wider: float
) -> tuple[Floats, Floats]:
    """Return the ratio of observed to expected variance, and its degrees of freedom.

    ``known`` holds the number of periods, the inflation, phi and the winsorised share. ``prior`` is
    the weight of the expected variance; ``wider`` of it counts against a larger one.
    """
    n, vif, phi, clipped = known
    freedom = np.maximum(n * (1 - phi**2) / (1 + phi**2) - 1, 0.0)
    left = np.maximum(n - vif, 0.5)
    seen = (residual**2).sum(axis=-1) / left / (1 - clipped) ** 2
    prior = np.where(seen > 1, wider * prior, prior)
    return (prior + freedom * seen) / (prior + freedom), prior + freedom


def rolling_sum(values: Floats, width: int) -> Floats:
    """Return the sum of every ``width`` neighbouring columns."""
    count = values.shape[1] - width + 1
    total = values[:, :count].copy()
    for start in range(1, width):
        total = total + values[:, start : start + count]
    return total


def _without_burst(tame: Floats, weight: Floats, mask: Mask, total: Floats) -> Floats:
    """Return the lowest mean after any ``BURST`` neighbouring periods are left out."""
    if tame.shape[1] <= BURST:
        return np.full(len(tame), -np.inf)
    pull = weight * tame
    whole = pull.sum(axis=-1, keepdims=True)
    rest = total[:, None] - rolling_sum(weight, BURST)
    enough = rest > 1e-9 * total[:, None]
    left = (whole - rolling_sum(pull, BURST)) / np.where(enough, rest, 1.0)
    lowest = np.where(enough, left, -np.inf).min(axis=-1)
    return np.where(mask.sum(axis=-1) > BURST, lowest, -np.inf)
