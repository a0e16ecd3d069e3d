"""The noise of a metric: cautious defaults, or what a rehearsal measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from canary.learned import Fingerprint, Kappa, MeasuredNoise
from canary.policy import Metric
from canary.stats.paired import Noise

COLD_TAU = 2.0
COLD_KAPPA: Mapping[str, Kappa] = {"expanding": ((4, 1.1),), "window": ((22, 1.2),)}
COLD_COUNT_KAPPA: Mapping[str, Kappa] = {
    "expanding": ((4, 1.6), (12, 1.3), (60, 1.2)),
    "exact": ((4, 1.2), (30, 1.2), (60, 1.3)),
    "window": ((22, 1.4),),
    "ranks": ((6, 1.05), (60, 1.2)),
}
"""Kappa without a calibration, wide enough for bursts of errors."""
COLD_FEWER_KAPPA: Mapping[str, Kappa] = {**COLD_COUNT_KAPPA, "exact": ((4, 1.1),)}
"""The same for counts of which fewer are harm, such as checkouts: they have no such bursts."""
COLD_WEIGHTS, CALIBRATED_WEIGHTS = (6.0, 20.0), (30.0, 100.0)
"""The weights of tau and phi: without a rehearsal, and after a long one."""
COLD_WIDER = 0.1
"""The share of tau's weight if counts scatter more than the default, as errors in batches do."""
WEATHER_HOST, WEATHER_GAUGE = 0.6, 0.5
"""FAIL allows for hosts that differ by this share of the default, even if a rehearsal saw less."""
WEATHER_KAPPA: Mapping[str, Mapping[str, Kappa]] = {
    "count": {"ranks": ((6, 1.1),)},
    "tail": {"expanding": ((4, 1.3), (8, 1.3), (16, 1.1)), "window": ((22, 1.2),)},
    "gauge": {"expanding": ((4, 1.1), (8, 1.1), (16, 1.05)), "window": ((22, 1.2),)},
}
"""Least kappa after a rehearsal, by kind, because the rehearsal may have seen no bursts."""
FIRM_CLIP, ARM_CLIP = 1.5, 1.0
SHARED = 0.1
"""The share of a period's noise that more hosts do not reduce."""
UNEVEN = 1.0
"""If the log odds of two splits differ by more than this, counts scatter differently."""


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
        wider=COLD_WIDER if metric.kind == "count" else 1.0,
        arm_clip=ARM_CLIP if metric.kind == "count" else math.inf,
    )


def known_noise(measured: MeasuredNoise, trust: float) -> Noise:
    """Return the noise that a rehearsal measured, with a weight according to its ``trust``."""
    noise = Noise(
        tau=measured.tau,
        phi=measured.phi,
        host=measured.host,
        clip=measured.clip,
        arm_clip=math.inf if measured.arm_clip is None else measured.arm_clip,
    )
    return held(noise, trust)


@dataclass(frozen=True, slots=True)
class Setting:
    """How a canary differs from the windows that its noise was learned from.

    Attributes:
        variance: variance of the difference between two equal arms, relative to those windows. For
            arms of four hosts it is a quarter of that for single hosts.
        uneven: whether its traffic is split so differently that counts scatter differently.
    """

    variance: float = 1.0
    uneven: bool = False


ALIKE = Setting()


def setting_of(there: Fingerprint | None, hosts: tuple[int, int], share: float) -> Setting:
    """Compare a canary with the windows of a calibration. Unknown windows count as alike."""
    if there is None:
        return ALIKE
    learned = sum(1 / count for count in there.groups)
    moved = _logit(share) - _logit(there.share)
    return Setting(sum(1 / max(count, 1) for count in hosts) / learned, abs(moved) > UNEVEN)


def in_setting(noise: Noise, setting: Setting) -> Noise:
    """Return the noise between arms of other sizes. The part that hosts share does not change."""
    if setting.variance == 1.0:
        return noise
    tau = noise.tau * math.sqrt(SHARED + (1 - SHARED) * setting.variance)
    host = noise.host * math.sqrt(setting.variance)
    return replace(noise, tau=tau, host=host, tau_weight=noise.tau_weight / 2)


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def held(noise: Noise, trust: float) -> Noise:
    """Return the noise with the weight that a rehearsal of this ``trust`` has."""
    tau, phi = (
        cold + (known - cold) * trust
        for cold, known in zip(COLD_WEIGHTS, CALIBRATED_WEIGHTS, strict=True)
    )
    return replace(noise, tau_weight=tau, phi_weight=phi)


def has_bursts(metric: Metric) -> bool:
    """Return whether an incident on one host can multiply the metric for some periods."""
    return metric.kind == "count" or _prior_name(metric) in ("tail", "gauge")


def least_kappa(metric: Metric) -> Mapping[str, Kappa]:
    """Return the least kappa of FAIL, whatever a rehearsal measured."""
    kind = "count" if metric.kind == "count" else _prior_name(metric)
    return WEATHER_KAPPA.get(kind, {})


def least_host(metric: Metric, cold: Noise) -> float:
    """Return the least lasting difference between hosts that FAIL allows for after a rehearsal."""
    return cold.host * (WEATHER_GAUGE if metric.kind == "gauge" else WEATHER_HOST)


def wary(metric: Metric, rough: Noise, cold: Noise) -> Noise:
    """Return the noise with bursts for FAIL. It is at least the default for kinds with bursts."""
    return replace(rough, tau=max(rough.tau, cold.tau)) if has_bursts(metric) else rough


def cold_kappa(metric: Metric) -> Mapping[str, Kappa]:
    """Return kappa of a metric without a rehearsal."""
    if metric.kind != "count":
        return COLD_KAPPA
    return COLD_FEWER_KAPPA if metric.harmful == "decrease" else COLD_COUNT_KAPPA


def _prior_name(metric: Metric) -> str:
    if metric.kind == "quantile" and (metric.quantile or 0) >= 0.95:
        return "tail"
    return "fewer" if metric.kind == "count" and metric.harmful == "decrease" else metric.kind
