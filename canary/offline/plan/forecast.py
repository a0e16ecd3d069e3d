"""The expected error of one metric's estimate after each period of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from canary.judge.lead_in import FEWEST, remaining
from canary.judge.priors import Setting
from canary.judge.rule import Rule, rule_of, sign_of
from canary.learned import Learned
from canary.offline.plan.workload import TYPICAL_EVENTS, Workload
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats, z_to_t
from canary.stats.effects import mean_variance, quantile_variance
from canary.stats.paired import inflation

LIKELY_Z = 0.8416
"""The z of 80 % power."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """One metric's expected error after each period, and the thresholds of both decisions.

    Attributes:
        rule: as the judge uses it.
        error: of the estimate, on the scale of the differences.
        wary: the same with the additional noise that FAIL allows for.
        to_fail, to_pass: distance of a deciding estimate from zero, or from the margin, in errors.
        harm: the forecast of FAIL, if another rule shows harm.
    """

    rule: Rule
    error: Floats
    wary: Floats
    to_fail: Floats
    to_pass: Floats
    harm: Forecast | None = None

    @property
    def visible(self) -> Floats:
        """The harm found by each period with 80 % power, on the scale of the differences."""
        if self.harm is not None:
            return self.harm.visible
        needed = self.wary * self.to_fail + self.error * LIKELY_Z
        found = np.maximum(needed, self.rule.gate)
        return np.minimum.accumulate(found)

    @property
    def excluded(self) -> Floats:
        """The margin ruled out by each period with 80 % power, for a release without harm."""
        return np.minimum.accumulate(self.error * (self.to_pass + LIKELY_Z))


def forecast(policy: Policy, metric: Metric, workload: Workload, known: Learned | None) -> Forecast:
    """Forecast one metric over the longest run that the policy allows."""
    setting = Setting(sum(1 / count for count in workload.instances) / 2)
    rule = rule_of(policy, metric, sign_of(metric), known, setting=setting)
    rule = rule if known is not None else _with_instances(rule, workload)
    rule = _with_lead_in(policy, metric, workload, rule)
    variance = _variances(policy, metric, workload, step_shares(policy, metric))
    passing = _forecast(rule, variance)
    return passing if rule.harm is None else replace(passing, harm=_forecast(rule.harm, variance))


def _forecast(rule: Rule, variance: Floats) -> Forecast:
    k = np.arange(1, len(variance) + 1, dtype=float)
    seen = np.isfinite(variance)
    weight = np.where(seen, 1 / (np.where(seen, variance, 1.0) + rule.noise.tau**2), 0.0)
    total = np.maximum(np.cumsum(weight), 1e-300)
    own_share = np.cumsum(np.where(seen, weight * rule.noise.tau**2, 0.0))
    pairs = np.maximum(np.cumsum(seen), 1.0)
    vif = 1 + own_share / pairs * (inflation(rule.noise.phi, pairs) - 1)
    own = vif / total
    error = np.sqrt(own + rule.noise.host**2)
    df = (rule.noise.tau_weight + pairs) * error**2 / own
    widths = np.array([rule.kappa("expanding", int(n)) for n in k])
    steady = np.array([rule.kappa("pass", int(n)) for n in k])
    fail = np.array([rule.spending.fail_bound(int(n), 0.8) for n in k])
    passing = np.array([rule.spending.pass_bound(int(n)) for n in k])
    return Forecast(
        rule,
        np.where(total > 1e-200, error, np.inf),
        np.where(total > 1e-200, np.hypot(error, rule.weather), np.inf),
        z_to_t(np.minimum(fail * widths, 12.0), df),
        z_to_t(np.minimum(passing * steady, 12.0), df),
    )


def step_shares(policy: Policy, metric: Metric) -> Floats:
    """Return the candidate's share in each period of a run without delays.

    A metric that depends on load is compared only at 50 %, where both arms carry the same load.
    """
    count, steps = policy.periods, policy.steps
    least = max(policy.minimum - policy.warmup, 0) / len(steps) / policy.period
    at = np.minimum((np.arange(count) / max(least, 1.0)).astype(int), len(steps) - 1)
    shares: Floats = np.array(steps)[at]
    if metric.needs_equal_footing:
        return np.where(np.abs(shares - 0.5) < 0.01, shares, np.nan)
    return shares


def _with_instances(rule: Rule, workload: Workload) -> Rule:
    host = rule.noise.host / math.sqrt(2) * math.sqrt(sum(1 / n for n in workload.instances))
    return replace(rule, noise=replace(rule.noise, host=host))


def _with_lead_in(policy: Policy, metric: Metric, workload: Workload, rule: Rule) -> Rule:
    """Return the rule after the policy's lead-in, which measures the hosts' own difference."""
    periods = (policy.lead_in - policy.warmup) // policy.period
    if periods < FEWEST or metric.kind in ("count", "level"):
        return rule
    share = np.array([min(policy.steps[-1], 0.5)])
    variance = _variances(policy, metric, workload, share)
    tau = rule.noise.tau**2
    vif = 1 + tau / (tau + variance) * (inflation(rule.noise.phi, periods) - 1)
    usual = math.hypot(rule.noise.host, rule.weather)
    _, left = remaining(usual, np.sqrt((tau + variance) * vif / periods))
    return replace(rule, noise=replace(rule.noise, host=min(left, usual)), weather=0.0)


def _variances(policy: Policy, metric: Metric, workload: Workload, shares: Floats) -> Floats:
    """Return the sampling variance of each period's difference."""
    requests = workload.rate * policy.period
    g, b = requests * shares, requests * np.maximum(1 - shares, 1e-9)
    if metric.kind in ("gauge", "level"):
        return np.where(np.isfinite(shares), 0.0, np.nan)
    if metric.kind == "count":
        rate = max(workload.events.get(metric.name, TYPICAL_EVENTS), 1e-9)
        if metric.per == "time":
            one, other = workload.instances
            return np.full_like(shares, 1 / (rate * one) + 1 / (rate * other))
        return 1 / (rate * g) + 1 / (rate * b)
    if metric.kind == "throughput":
        return 1 / g + 1 / b
    if metric.quantile is None:
        return mean_variance(workload.spread, g, b)
    return quantile_variance(workload.spread, metric.quantile, g, b)
