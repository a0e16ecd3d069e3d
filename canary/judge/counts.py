"""The comparison of counts, such as errors, restarts and checkouts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from canary.judge.acute import acute_events
from canary.judge.channels import (
    STEADY_Z,
    Assessment,
    Channel,
    conclude,
    mean_channels,
    means,
    pieces,
)
from canary.judge.pooled_counts import (
    environment_dispersion,
    newest_events,
    pooled_ratio,
    pooled_z,
    without_worst,
)
from canary.judge.recent import withheld_events
from canary.judge.rule import Rule
from canary.judge.shrinkage import RANKS
from canary.judge.spending import COLD, RANKED, WINDOW, Parts
from canary.stats.counts import (
    dispersion,
    poisson_lower,
    poisson_upper,
    rate_ratio_interval,
)
from canary.stats.distributions import LARGEST_Z, Floats, t_to_z
from canary.stats.effects import Blocks, merge_counts
from canary.stats.paired import Estimate
from canary.stats.ranks import rank_z

FEW_BLOCKS = 3
FIRST_RANKS = 6


@dataclass(frozen=True, slots=True)
class Counts:
    """The events of both arms, and the chances for one in each period (its requests)."""

    candidate: Floats
    baseline: Floats
    candidate_chances: Floats
    baseline_chances: Floats
    rule: Rule
    blocks: Blocks

    @classmethod
    def of(
        cls,
        candidate: Floats,
        baseline: Floats,
        candidate_chances: Floats,
        baseline_chances: Floats,
        rule: Rule,
    ) -> Counts:
        """Merge the periods into blocks once, for all looks."""
        good = (candidate_chances > 0) & (baseline_chances > 0)
        good &= np.isfinite(candidate) & np.isfinite(baseline)
        candidate, baseline, chances_g, chances_b = (
            np.where(good, x, np.nan)
            for x in (candidate, baseline, candidate_chances, baseline_chances)
        )
        blocks = merge_counts(candidate, baseline, (chances_g, chances_b))
        return cls(candidate, baseline, chances_g, chances_b, rule, blocks)

    @property
    def periods(self) -> int:
        """The number of periods."""
        return int(self.candidate.shape[1])

    def cut(self, starts: Sequence[int], length: int) -> Counts:
        """Return the pieces of ``length`` periods that start at ``starts``, as runs."""
        g, b, n_g, n_b = (pieces(column, starts, length) for column in self._columns)
        return Counts.of(g, b, n_g, n_b, self.rule)

    def channels(self, k: int) -> tuple[Channel, ...]:
        """Return all channels after ``k`` periods."""
        return *self._unranked(k, *self._means(k)), *self._ranked(k)

    def _unranked(self, k: int, whole: Estimate, recent: Estimate | None) -> tuple[Channel, ...]:
        logs = mean_channels(whole, recent, self.rule, k, self.parts.expanding, self.parts.window)
        return *logs, self._exact(k)

    def _harmful(self, k: int, means: tuple[Estimate, Estimate | None]) -> tuple[Channel, ...]:
        """Return all channels by the rule for FAIL; the ranks have the same in both."""
        shown = self if self.rule.harm is None else replace(self, rule=self.rule.harm)
        means = means if shown is self else shown._means(k)
        found = shown._beyond_negligible(shown._unranked(k, *means), k)
        return *found, *self._beyond_negligible(self._ranked(k), k)

    def look(self, k: int) -> Assessment:
        """Return the assessment after ``k`` periods."""
        rule = self.rule
        means = self._means(k)
        evidence = conclude(self._harmful(k, means), means[0], rule, k)
        if rule.negligible > 0 and k >= rule.spending.first:
            slight = self._negligible(k)
            evidence.towards_pass = np.maximum(evidence.towards_pass, slight)
        self._describe(evidence, k)
        if "late_effect" in evidence.parts and len(self.candidate) == 1:
            evidence.parts |= newest_events(self._columns, self.blocks.closed[0], k, WINDOW)
        g, b, n_g, n_b = (column[:, :k] for column in self._columns)
        evidence.withhold(withheld_events((g, b, n_g, n_b), rule))
        if rule.acute is not None:
            evidence.alarm(acute_events((g, b, n_g, n_b), rule.acute, rule.sign))
        return evidence

    def _beyond_negligible(self, channels: Sequence[Channel], k: int) -> tuple[Channel, ...]:
        """Close the gates of all channels but the window if the extra events are negligible.

        What PASS accepts must not FAIL. The rest of the run may dilute the window's events.
        """
        rule = self.rule
        columns = (np.where(np.isfinite(x[:, :k]), x[:, :k], 0.0) for x in self._columns)
        enough = self._more(*columns) >= rule.negligible * rule.gate / rule.margin
        return tuple(
            channel if channel.name == "window" else replace(channel, gate=channel.gate & enough)
            for channel in channels
        )

    def _describe(self, evidence: Assessment, k: int) -> None:
        """Add the totals, and an exact interval where there are too few blocks for logs."""
        good = np.isfinite(self.candidate[:, :k])
        g, b, n_g, n_b = (np.where(good, x[:, :k], 0.0).sum(axis=1) for x in self._columns)
        evidence.parts |= {
            "candidate_events": g,
            "baseline_events": b,
            "candidate_chances": n_g,
            "baseline_chances": n_b,
        }
        few = evidence.pairs < FEW_BLOCKS
        evidence.pairs = good.sum(axis=1).astype(float)
        bound = self.rule.spending.pass_bound(k) * self.rule.kappa("pass", k)
        ends = rate_ratio_interval(g, b, n_g / np.maximum(n_g + n_b, 1e-9), float(ndtr(-bound)))
        low, middle, high = (np.log(end) for end in ends)
        if self.rule.sign < 0:
            low, middle, high = -high, -middle, -low
        evidence.effect = np.where(few, middle, evidence.effect)
        evidence.low = np.where(few, low, evidence.low)
        evidence.high = np.where(few, high, evidence.high)

    def _means(self, k: int) -> tuple[Estimate, Estimate | None]:
        blocks = self.blocks
        most = max(int((blocks.closed < k).sum(axis=1).max(initial=0)), 1)
        closed = blocks.closed[:, :most] < k
        d = np.where(closed, blocks.d[:, :most], np.nan)
        v = np.where(closed, blocks.v[:, :most], np.nan)
        arms = blocks.candidate[:, :most], blocks.baseline[:, :most]
        return means(d, v, arms, self.rule, k)

    @property
    def parts(self) -> Parts:
        """The division of this metric's alpha.

        The mean of logs is the better test for dense counts, the exact test for sparse ones, and
        ranks help against bursts. Ranks need a rehearsal, because their bias under an uneven split
        must be learned.
        """
        return COLD if self.rule.dense is None else RANKED

    def _ranked(self, k: int) -> tuple[Channel, ...]:
        """Return the rank test of the arms' rates, once there are enough periods for it."""
        rule = self.rule
        if self.parts.ranks <= 0 or k < FIRST_RANKS:
            return ()
        good = np.isfinite(self.candidate[:, :k])
        g, b, n_g, n_b = (np.where(good, x[:, :k], 0.0) for x in self._columns)
        rate_g, rate_b = g / np.where(good, n_g, 1.0), b / np.where(good, n_b, 1.0)
        lean = rule.sign * rule.rank_lean * math.sqrt(k)
        z = rule.sign * rank_z(rate_g, rate_b, good) - lean
        share = np.where(good, n_g / np.where(good, n_g + n_b, 1.0), 0.5)
        harmed, share = (g, share) if rule.sign > 0 else (b, 1 - share)
        weight = 1 / (1 + rule.rough.tau**2 * (g + b) * share * (1 - share))
        ratio = pooled_ratio(harmed * weight, (g + b) * weight, share)
        bound = rule.spending.fail_bound(k, self.parts.ranks)
        return (Channel(RANKS, z, bound, ratio >= rule.gate, rule.size(ratio)),)

    def _exact(self, k: int) -> Channel:
        """Return the conditional test of all events so far.

        Each period is weighted by its effective number of independent events, given the variance of
        the environment. So the pooled test keeps its error rate for large counts, and is exact for
        small ones.
        """
        rule = self.rule
        good = np.isfinite(self.candidate[:, :k])
        g, b, n_g, n_b = (np.where(good, x[:, :k], 0.0) for x in self._columns)
        share = np.where(good, n_g / np.where(good, n_g + n_b, 1.0), 0.5)
        harmed, share = (g, share) if rule.sign > 0 else (b, 1 - share)
        total = g + b
        weight = 1 / (1 + rule.rough.tau**2 * total * share * (1 - share))
        harmed, total = harmed * weight, total * weight
        phi, df = dispersion(harmed, total, share, good)
        z = np.minimum(t_to_z(pooled_z(harmed, total, share, phi), df), LARGEST_Z)
        keep = without_worst(harmed, total * share, good)
        z_rest = pooled_z(harmed * keep, total * keep, share, phi)
        ratio = pooled_ratio(harmed, total, share)
        steady = (z_rest >= STEADY_Z) & (ratio >= rule.gate)
        bound = rule.spending.fail_bound(k, self.parts.exact)
        return Channel("exact", z, bound, steady, rule.size(ratio))

    def _more(self, g: Floats, b: Floats, n_g: Floats, n_b: Floats) -> Floats:
        """Return the extra events per request; positive is harm."""
        rate = g.sum(axis=1) / np.maximum(n_g.sum(axis=1), 1e-9)
        base = b.sum(axis=1) / np.maximum(n_b.sum(axis=1), 1e-9)
        more: Floats = self.rule.sign * (rate - base)
        return more

    @property
    def _columns(self) -> tuple[Floats, Floats, Floats, Floats]:
        return self.candidate, self.baseline, self.candidate_chances, self.baseline_chances

    def _negligible(self, k: int) -> Floats:
        """Return the progress towards ruling out more than negligible extra events per request.

        The interval of a difference from the limits of its parts: G. Y. Zou, A. Donner (2008),
        "Construction of confidence limits about effect measures", Stat. Med. 27, 1693-1702; the
        counts are divided by the dispersion that the environment gives them.
        """
        rule = self.rule
        good = np.isfinite(self.candidate[:, :k])
        g, b, n_g, n_b = (np.where(good, x[:, :k], 0.0) for x in self._columns)
        share = np.where(good, n_g / np.where(good, n_g + n_b, 1.0), 0.5)
        phi = environment_dispersion(g + b, share, rule.bursts)
        hurt, safe, n_hurt, n_safe = (g, b, n_g, n_b) if rule.sign > 0 else (b, g, n_b, n_g)
        a, c = hurt.sum(axis=1) / phi, safe.sum(axis=1) / phi
        n_a, n_c = (np.maximum(n.sum(axis=1) / phi, 1e-9) for n in (n_hurt, n_safe))
        level = float(ndtr(-rule.spending.pass_bound(k) * rule.kappa("pass", k)))
        rate, base = a / n_a, c / n_c
        upper, lower = poisson_upper(a, level) / n_a, poisson_lower(c, level) / n_c
        limit = rate - base + np.hypot(upper - rate, base - lower)
        return np.where(n_a > 1, rule.negligible / np.maximum(limit, 1e-12), 0.0)
