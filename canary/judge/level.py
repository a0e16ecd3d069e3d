"""The comparison of levels such as memory: it finds a higher level, or one that grows faster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from canary.judge.channels import Assessment, Channel, conclude, mean_channels, pieces
from canary.judge.recent import withheld_series
from canary.judge.rule import Rule
from canary.judge.warmup import settled_slope, towards_leak
from canary.stats.distributions import Floats, t_to_z
from canary.stats.effects import least_variance
from canary.stats.paired import Estimate, paired_mean
from canary.stats.trend import slope

HALF = 0.5


@dataclass(frozen=True, slots=True)
class Level:
    """Differences ``d`` of a level: log ratios, or in the metric's own unit."""

    d: Floats
    rule: Rule

    @property
    def periods(self) -> int:
        """The number of periods."""
        return int(self.d.shape[1])

    def cut(self, starts: Sequence[int], length: int) -> Level:
        """Return the pieces of ``length`` periods that start at ``starts``, as runs."""
        return Level(pieces(self.d, starts, length), self.rule)

    def channels(self, k: int) -> tuple[Channel, ...]:
        """Return all channels after ``k`` periods."""
        return self._channels(k, *self._estimates(k))

    def look(self, k: int) -> Assessment:
        """Return the assessment after ``k`` periods."""
        rule = self.rule
        d = rule.sign * self.d[:, :k]
        whole, trend = self._estimates(k)
        *level, slopes = self._channels(k, whole, trend)
        near = towards_leak(d, rule)
        slopes = replace(slopes, gate=slopes.gate & (near >= 1), size=np.minimum(slopes.size, near))
        evidence = conclude((*level, slopes), whole, rule, k)
        trend, grown = settled_slope(trend, d, rule)
        room = t_to_z((rule.drift_margin - trend.mean) / trend.error, trend.df)
        steady = room / rule.kappa("pass_slope", k) / rule.spending.pass_bound(k)
        steady = np.where(trend.pairs > 2, steady, 0.0)
        evidence.towards_pass = np.minimum(evidence.towards_pass, steady)
        evidence.parts |= {"slope": trend.mean, "slope_error": trend.error}
        evidence.parts["grown"] = np.where(grown, 1.0, np.nan)
        evidence.withhold(withheld_series(d, least_variance(d), rule))
        return evidence

    def _estimates(self, k: int) -> tuple[Estimate, Estimate]:
        d = self.rule.sign * self.d[:, :k]
        return paired_mean(d, least_variance(d), self.rule.noise), slope(d, self.rule.drift)

    def _channels(self, k: int, whole: Estimate, trend: Estimate) -> tuple[Channel, ...]:
        rule = self.rule
        least = rule.drift_margin * rule.gate / rule.margin
        size = trend.mean / least if least > 0 else np.ones_like(trend.mean)
        z = t_to_z(trend.t, trend.df)
        slopes = Channel("slope", z, rule.spending.fail_bound(k, HALF), trend.mean >= least, size)
        return *mean_channels(whole, None, rule, k, HALF, 0.0), slopes
