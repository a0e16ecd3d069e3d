"""The rule by which one metric is judged, made from the policy and the noise of the metric."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from canary.judge.acute import TAIL, AcuteBounds, acute_bounds
from canary.judge.priors import (
    ALIKE,
    Setting,
    cold_kappa,
    cold_noise,
    in_setting,
    known_noise,
    least_host,
    wary,
)
from canary.judge.shrinkage import trust_of
from canary.judge.spending import Spending
from canary.learned import Kappa, Learned
from canary.policy import Margin, Metric, Policy
from canary.stats.distributions import Floats
from canary.stats.paired import Noise

SAFETY, ACUTE = 0.58, 0.2
BETA_SAFETY, LEVEL_BETA = 0.95, 0.76
"""Shares of alpha and beta that are spent. The rest is a reserve for deviations from the theory,
larger for levels, whose slopes scatter more than in theory. ``ACUTE`` is the share of the acute
channel."""
COLD_FIRST, CALIBRATED_FIRST = 5, 4
GATE = 0.45
"""The share of the margin by which a calibration of full trust lowers the least estimate to
FAIL."""
MANY = 16
"""Periods from which a burst can be distinguished from a change."""
EXPANDING, WINDOWED = 0.8, 0.2
FADE_SECONDS, FADE_PERIODS = 1800, 20
"""The longest time in seconds, and the least number of periods, to wait for a falling latency."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One metric's rule.

    Attributes:
        sign: +1 if an increase is harm, -1 if a decrease is.
        margin: accepted harm on the scale of the differences (a log ratio, or a level's unit).
        gate: the smallest estimate that can FAIL; smaller harm is within the margin.
        noise: noise of the differences, used from ``MANY`` periods on.
        rough: the same with bursts, used for fewer periods and for the window.
        negligible: accepted extra events per request (counts only).
        drift_margin: accepted growth per period (levels only).
        drift: noise of the slope (levels only).
        dense: blocks of counts that a period completes, if known (counts only).
        widths: kappa by channel.
        rank_lean: bias of ranks to one side (counts only).
        bursts: a period's noise with the measured bursts; ``rough`` may allow for more. PASS of
            negligible counts uses it.
        weather: additional lasting difference that FAIL allows for, because a rehearsal may have
            seen too small a one.
        acute: bounds of the acute channel; None if the metric's kind has none.
        fade: periods for which a fresh process may be worse at first; 0 if none is expected.
        tail: whether the metric is a tail quantile, which few requests can change.
        harm: the rule by which counts FAIL after a rehearsal, if it is not this one.
    """

    spending: Spending
    sign: float
    margin: float
    gate: float
    noise: Noise
    rough: Noise
    drift: Noise
    drift_margin: float
    negligible: float = 0.0
    dense: float | None = None
    widths: Mapping[str, Kappa] = field(default_factory=dict)
    rank_lean: float = 0.0
    bursts: float = 0.0
    weather: float = 0.0
    acute: AcuteBounds | None = None
    fade: int = 0
    tail: bool = False
    harm: Rule | None = None

    def size(self, effect: Floats) -> Floats:
        """Return an estimate in units of the smallest one that can FAIL."""
        return effect / self.gate if self.gate > 0 else np.ones_like(effect)

    @property
    def measured(self) -> Noise:
        """The noise with the measured bursts, which PASS allows for."""
        return self.rough if self.bursts == self.rough.tau else replace(self.rough, tau=self.bursts)

    def noise_at(self, seen: int) -> Noise:
        """Return the noise to assume after ``seen`` periods."""
        return self.noise if seen >= MANY else self.rough

    def kappa(self, channel: str, seen: int) -> float:
        """Return the ratio of a channel's actual to its theoretical width after ``seen`` periods.

        It was measured on A/A data at a few lengths, and is interpolated on the log of the length.
        """
        nodes = self.widths.get(channel)
        if not nodes:
            return 1.0
        at, widths = zip(*nodes, strict=True)
        return float(np.interp(math.log(max(seen, 1)), np.log(at), widths))


def sign_of(metric: Metric) -> float:
    """Return -1 if only a decrease is harm, else 1."""
    return -1.0 if metric.harmful == "decrease" else 1.0


def signs_of(metric: Metric) -> tuple[float, ...]:
    """Return each direction of harm."""
    return (1.0, -1.0) if metric.harmful == "either" else (sign_of(metric),)


def log_margin(margin: Margin, sign: float) -> float:
    """Return the margin on the scale of the differences: a log ratio, or points as they are."""
    if margin.scale == "points":
        return margin.value
    return math.log1p(margin.value) if sign > 0 else -math.log1p(-margin.value)


def spending_of(policy: Policy, metric: Metric, *, calibrated: bool) -> Spending:
    """Return the looks at ``metric``, and its share of the policy's error rates."""
    return Spending(
        horizon=policy.periods,
        first=CALIBRATED_FIRST if calibrated else COLD_FIRST,
        alpha=policy.alpha * SAFETY * share_of(policy, metric),
        beta=policy.beta * (LEVEL_BETA if metric.kind == "level" else BETA_SAFETY),
    )


def share_of(policy: Policy, metric: Metric) -> float:
    """Return the part of alpha that one direction of ``metric`` has."""
    counted = [other.weight for other in policy.metrics if not other.muted or other is metric]
    return metric.weight / math.fsum(counted) / len(signs_of(metric))


def _weather(least: float, host: float, setting: Setting) -> float:
    return math.sqrt(max(least**2 * setting.variance - host**2, 0.0))


def _fade(policy: Policy, metric: Metric) -> int:
    """Return how many periods a latency may take to fall: half a run, within limits."""
    if metric.kind not in ("latency", "quantile"):
        return 0
    return max(FADE_PERIODS, min(policy.periods // 2, FADE_SECONDS // policy.period))


@dataclass(frozen=True, slots=True)
class _Noises:
    """The noises of a rule, and the additional noise that FAIL allows for."""

    noise: Noise
    rough: Noise
    drift: Noise
    bursts: float
    weather: float = 0.0


def _noises(
    metric: Metric, known: Learned | None, cold: Noise, growth: float, setting: Setting
) -> _Noises:
    """Return the default noises, or the measured ones, adapted to the canary's setting."""
    if known is None:
        return _Noises(cold, cold, replace(cold, host=growth / 6), cold.tau)
    trust = trust_of(known.windows)
    noise, rough = (
        in_setting(known_noise(one, trust), setting) for one in (known.noise, known.rough)
    )
    bursts, rough = rough.tau, wary(metric, rough, in_setting(cold, setting))
    usual = growth / 6 if known.drift_host is None else known.drift_host
    drift = replace(noise, host=usual * math.sqrt(setting.variance))
    weather = _weather(least_host(metric, cold), noise.host, setting)
    return _Noises(noise, rough, drift, bursts, weather)


def rule_of(
    policy: Policy,
    metric: Metric,
    sign: float,
    known: Learned | None = None,
    points: float = 1.0,
    setting: Setting = ALIKE,
) -> Rule:
    """Return the rule of ``metric`` in one direction of harm."""
    spending = spending_of(policy, metric, calibrated=known is not None)
    margin = log_margin(metric.limit, 1.0 if metric.harmful == "either" else sign)
    growth = policy.drift_of(metric).value * policy.period / 60
    cold = cold_noise(metric, policy.period, points)
    found = _noises(metric, known, cold, growth, setting)
    trust = 0.0 if known is None else trust_of(known.windows)
    rule = Rule(
        spending=spending,
        sign=sign,
        margin=margin,
        gate=margin * (1 - trust * GATE),
        noise=found.noise,
        rough=found.rough,
        drift=found.drift,
        drift_margin=growth,
        negligible=metric.negligible_rate,
        dense=known.dense if known and not setting.uneven else None,
        widths=known.kappa if known else cold_kappa(metric),
        rank_lean=known.rank_lean if known else 0.0,
        bursts=found.bursts,
        weather=found.weather,
        acute=acute_bounds(metric, policy.alpha * ACUTE * share_of(policy, metric), policy.periods),
        fade=_fade(policy, metric),
        tail=(metric.quantile or 0.0) >= TAIL,
    )
    return replace(rule, harm=_harm_rule(rule, metric, known, cold))


def _harm_rule(rule: Rule, metric: Metric, known: Learned | None, cold: Noise) -> Rule | None:
    """Return the rule by which counts fail after a rehearsal: as without one, but for kappa.

    Counts show their own scatter in every run. The noise of a rehearsal includes bursts that the
    default only allows for. PASS needs that noise, but it would delay FAIL.
    """
    if known is None or metric.kind != "count":
        return None
    return replace(rule, gate=rule.margin, noise=cold, rough=cold, weather=0.0)
