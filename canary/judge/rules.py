"""From a policy's metric and what is known of its noise to the rule that it is judged by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from canary.judge.rule import Plan, Rule
from canary.policy import Margin, Metric, Policy
from canary.stats.paired import Noise

Extensions = tuple[tuple[int, int], ...]

SAFETY = 0.65
BETA_SAFETY = 0.8
"""Shares of alpha and beta that are planned with: the rest is for what theory does not see."""
COLD_TAU = 2.0
COLD_FIRST, CALIBRATED_FIRST = 5, 4
COLD_WIDTHS = {"kappa_expanding_4": 1.1, "kappa_window_22": 1.2}
COLD_COUNT_WIDTHS = {
    "kappa_expanding_4": 1.6,
    "kappa_expanding_12": 1.3,
    "kappa_expanding_60": 1.2,
    "kappa_exact_4": 1.1,
    "kappa_window_22": 1.4,
}
"""Kappa where nothing was measured: bursts of errors are the usual surprise."""
CALIBRATED_WEIGHTS = (30.0, 100.0)
ENOUGH_WINDOWS = 50
PLAIN_CLIP, FIRM_CLIP, ARM_CLIP = 2.5, 1.5, 1.0


@dataclass(frozen=True, slots=True)
class Prior:
    """Noise of a kind of metric before anything was measured.

    ``memory`` is the time in seconds over which the environment's noise forgets itself.
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


def sign_of(metric: Metric) -> float:
    """Return -1 where only a decrease is harm."""
    return -1.0 if metric.harmful == "decrease" else 1.0


def signs_of(metric: Metric) -> tuple[float, ...]:
    """Return each direction that is harm."""
    return (1.0, -1.0) if metric.harmful == "either" else (sign_of(metric),)


def log_margin(margin: Margin, sign: float) -> float:
    """Return the margin on the scale of the differences: a log ratio, or points as they are."""
    if margin.scale == "points":
        return margin.value
    return math.log1p(margin.value) if sign > 0 else -math.log1p(-margin.value)


def cold_noise(metric: Metric, period: int, points: float = 1.0) -> Noise:
    """Return a cautious default of the noise.

    ``points`` scales the defaults of a level whose margin is in points: its baseline level.
    """
    prior = PRIORS[_prior_name(metric)]
    return Noise(
        tau=COLD_TAU * prior.tau * points,
        phi=min(math.exp(-period / prior.memory), 0.95),
        host=COLD_TAU * prior.host * points,
        arm_clip=ARM_CLIP if metric.kind == "count" else math.inf,
    )


def known_noise(known: Mapping[str, float], prefix: str = "") -> Noise:
    """Return the noise that a rehearsal measured; the more windows, the firmer."""
    firm = min(known.get("windows", 0.0) / ENOUGH_WINDOWS, 1.0)
    return Noise(
        tau=known[f"{prefix}tau"],
        phi=known[f"{prefix}phi"],
        host=known[f"{prefix}host"],
        tau_weight=max(CALIBRATED_WEIGHTS[0] * firm, 2.0),
        phi_weight=max(CALIBRATED_WEIGHTS[1] * firm, 10.0),
        clip=known.get(f"{prefix}clip", PLAIN_CLIP),
        arm_clip=known.get(f"{prefix}arm_clip", math.inf),
    )


def _prior_name(metric: Metric) -> str:
    if metric.kind == "quantile" and (metric.quantile or 0) >= 0.95:
        return "tail"
    return "fewer" if metric.kind == "count" and metric.harmful == "decrease" else metric.kind


def plan_of(
    policy: Policy, metric: Metric, *, calibrated: bool, extensions: Extensions = ()
) -> Plan:
    """Return when ``metric`` is looked at and which part of the policy's error rates it has."""
    sides = len(signs_of(metric))
    counted = [other.weight for other in policy.metrics if not other.muted or other is metric]
    share = metric.weight / math.fsum(counted)
    return Plan(
        horizon=policy.periods,
        first=CALIBRATED_FIRST if calibrated else COLD_FIRST,
        alpha=policy.alpha * SAFETY * share / sides,
        beta=policy.beta * BETA_SAFETY,
        extensions=extensions,
    )


def _widths(metric: Metric, known: Mapping[str, float] | None) -> Mapping[str, float]:
    if known:
        kept = ("kappa_", "rank_")
        return {name: width for name, width in known.items() if name.startswith(kept)}
    return COLD_COUNT_WIDTHS if metric.kind == "count" else COLD_WIDTHS


def rule_of(
    policy: Policy,
    metric: Metric,
    sign: float,
    known: Mapping[str, float] | None = None,
    points: float = 1.0,
    extensions: Extensions = (),
) -> Rule:
    """Return the rule of ``metric`` in one direction of harm."""
    plan = plan_of(policy, metric, calibrated=bool(known), extensions=extensions)
    margin = log_margin(metric.limit, 1.0 if metric.harmful == "either" else sign)
    minutes = policy.period / 60
    growth = policy.drift_of(metric).value * minutes
    cold = cold_noise(metric, policy.period, points)
    noise, rough = (known_noise(known), known_noise(known, "rough_")) if known else (cold, cold)
    drift = replace(noise, host=(known or {}).get("drift_host", growth / 6))
    return Rule(
        plan=plan,
        sign=sign,
        margin=margin,
        gate=margin / 2 if known else margin,
        noise=noise,
        rough=rough,
        drift=drift,
        drift_margin=growth,
        negligible=metric.negligible_rate,
        dense=(known or {}).get("dense"),
        widths=_widths(metric, known),
    )
