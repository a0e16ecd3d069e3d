"""The noise of a metric: cautious defaults, or what a rehearsal measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from canary.learned import Kappa, MeasuredNoise
from canary.policy import Metric
from canary.stats.paired import Noise

COLD_TAU = 2.0
COLD_KAPPA: Mapping[str, Kappa] = {"expanding": ((4, 1.1),), "window": ((22, 1.2),)}
COLD_COUNT_KAPPA: Mapping[str, Kappa] = {
    "expanding": ((4, 1.6), (12, 1.3), (60, 1.2)),
    "exact": ((4, 1.1),),
    "window": ((22, 1.4),),
}
"""Kappa without a calibration, wide enough for bursts of errors."""
CALIBRATED_WEIGHTS = (30.0, 100.0)
ENOUGH_WINDOWS = 50
FIRM_CLIP, ARM_CLIP = 1.5, 1.0


@dataclass(frozen=True, slots=True)
class Prior:
    """The default noise of a kind of metric.

    ``memory`` is the correlation time of the environment's noise in seconds.
    """

    tau: float
    memory: float
    host: float


PRIORS = {
    "latency": Prior(tau=0.03, memory=50.0, host=0.010),
    "quantile": Prior(tau=0.03, memory=50.0, host=0.010),
    "tail": Prior(tau=0.05, memory=37.0, host=0.010),
    "count": Prior(tau=0.20, memory=15.0, host=0.020),
    "fewer": Prior(tau=0.06, memory=15.0, host=0.010),
    "throughput": Prior(tau=0.03, memory=50.0, host=0.005),
    "gauge": Prior(tau=0.05, memory=87.0, host=0.015),
    "level": Prior(tau=0.005, memory=270.0, host=0.015),
}


def cold_noise(metric: Metric, period: int, points: float = 1.0) -> Noise:
    """Return a cautious default noise.

    ``points`` scales the defaults of a level whose margin is in points: its baseline level.
    """
    prior = PRIORS[_prior_name(metric)]
    return Noise(
        tau=COLD_TAU * prior.tau * points,
        phi=min(math.exp(-period / prior.memory), 0.95),
        host=COLD_TAU * prior.host * points,
        arm_clip=ARM_CLIP if metric.kind == "count" else math.inf,
    )


def known_noise(measured: MeasuredNoise, windows: int) -> Noise:
    """Return the noise that a rehearsal measured. More windows give it more weight."""
    firm = min(windows / ENOUGH_WINDOWS, 1.0)
    return Noise(
        tau=measured.tau,
        phi=measured.phi,
        host=measured.host,
        tau_weight=max(CALIBRATED_WEIGHTS[0] * firm, 2.0),
        phi_weight=max(CALIBRATED_WEIGHTS[1] * firm, 10.0),
        clip=measured.clip,
        arm_clip=math.inf if measured.arm_clip is None else measured.arm_clip,
    )


def _prior_name(metric: Metric) -> str:
    if metric.kind == "quantile" and (metric.quantile or 0) >= 0.95:
        return "tail"
    return "fewer" if metric.kind == "count" and metric.harmful == "decrease" else metric.kind
