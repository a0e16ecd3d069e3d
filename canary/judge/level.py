"""Evidence in levels, such as memory: a higher level, or one that grows faster."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from canary.judge.evidence import Evidence, towards, weigh
from canary.judge.rule import Rule
from canary.stats.distributions import Floats, t_to_z
from canary.stats.paired import paired_mean
from canary.stats.trend import slope

HALF = 0.5


@dataclass(frozen=True, slots=True)
class Level:
    """Differences ``d`` of a level: log ratios, or in the metric's own unit."""

    d: Floats
    rule: Rule

    def look(self, k: int) -> Evidence:
        """Return the evidence in the first ``k`` periods."""
        rule = self.rule
        d = rule.sign * self.d[:, :k]
        whole = paired_mean(d, np.where(np.isfinite(d), 0.0, np.nan), rule.noise)
        evidence = weigh(whole, None, rule, k, HALF, 0.0)
        drift = rule.drift or replace(rule.noise, host=0.0)
        trend = slope(d, drift)
        z = t_to_z(trend.t, trend.df) / drift.kappa
        growing = trend.mean >= rule.drift_margin / 2
        fail = towards(z, rule.plan.fail_bound(k, HALF), growing)
        evidence.parts = {"slope": trend.mean, "slope_error": trend.error, "slope_z": z}
        evidence.towards_fail = np.maximum(evidence.towards_fail, fail)
        room = t_to_z((rule.drift_margin - trend.mean) / trend.error, trend.df) / drift.kappa
        steady = np.where(trend.pairs > 2, room / rule.plan.pass_bound(k), 0.0)
        evidence.towards_pass = np.minimum(evidence.towards_pass, steady)
        return evidence
