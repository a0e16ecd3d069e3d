"""Evidence in counts: errors, restarts, checkouts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from canary.judge.evidence import STEADY_Z, Evidence, Mask, recent_mean, towards, weigh
from canary.judge.rule import Rule
from canary.stats.counts import conditional_p, dispersion, poisson_lower, poisson_upper
from canary.stats.distributions import Floats, t_to_z, upper_tail_z
from canary.stats.effects import Blocks, merge_counts
from canary.stats.paired import paired_mean

EXPANDING, EXACT, WINDOWED = 0.5, 0.3, 0.2
DISPERSION_WEIGHT = 12.0


@dataclass(frozen=True, slots=True)
class Counts:
    """Events on either arm, and how many chances for one each period gave (its requests)."""

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
        """Merge the periods into blocks, once for all looks."""
        good = (candidate_chances > 0) & (baseline_chances > 0)
        good &= np.isfinite(candidate) & np.isfinite(baseline)
        candidate, baseline, chances_g, chances_b = (
            np.where(good, x, np.nan)
            for x in (candidate, baseline, candidate_chances, baseline_chances)
        )
        blocks = merge_counts(candidate, baseline, chances_g / (chances_g + chances_b))
        return cls(candidate, baseline, chances_g, chances_b, rule, blocks)

    def look(self, k: int) -> Evidence:
        """Return the evidence in the first ``k`` periods."""
        rule, blocks = self.rule, self.blocks
        most = max(int((blocks.closed < k).sum(axis=1).max(initial=0)), 1)
        closed = blocks.closed[:, :most] < k
        d = np.where(closed, rule.sign * blocks.d[:, :most], np.nan)
        v = np.where(closed, blocks.v[:, :most], np.nan)
        whole = paired_mean(d, v, rule.noise)
        evidence = weigh(whole, recent_mean(d, v, rule), rule, k, EXPANDING, WINDOWED)
        exact = self._exact(k, closed, most)
        evidence.towards_fail = np.maximum(evidence.towards_fail, exact)
        if rule.negligible > 0:
            slight = self._negligible(k)
            evidence.towards_pass = np.maximum(evidence.towards_pass, slight)
        evidence.pairs = np.isfinite(self.candidate[:, :k]).sum(axis=1).astype(float)
        return evidence

    def _exact(self, k: int, closed: Mask, most: int) -> Floats:
        """Return how far the conditional test of all events so far has come to its bound."""
        rule = self.rule
        good = np.isfinite(self.candidate[:, :k])
        chances_g = self.candidate_chances[:, :k]
        share = np.where(good, chances_g / (chances_g + self.baseline_chances[:, :k]), 0.5)
        hurt = self.candidate if rule.sign > 0 else self.baseline
        share = share if rule.sign > 0 else 1 - share
        total = np.where(good, self.candidate[:, :k] + self.baseline[:, :k], 0.0)
        harmed = np.where(good, hurt[:, :k], 0.0)
        phi, df = self._dispersion(closed, most, total, share)
        z = t_to_z_capped(pooled_z(harmed, total, share, phi), df) / rule.noise.kappa
        keep = _without_worst_two(harmed, total * share, good)
        z_rest = pooled_z(harmed * keep, total * keep, share, phi)
        due = np.maximum((total * share).sum(axis=1), 1e-9)
        other = np.maximum((total * (1 - share)).sum(axis=1), 1e-9)
        seen = harmed.sum(axis=1)
        ratio = (seen + 0.5) / due / ((total.sum(axis=1) - seen + 0.5) / other)
        gate = (z_rest >= STEADY_Z) & (np.log(ratio) >= rule.gate)
        return towards(z, rule.plan.fail_bound(k, EXACT), gate)

    def _dispersion(
        self, closed: Mask, most: int, total: Floats, share: Floats
    ) -> tuple[Floats, Floats]:
        blocks = self.blocks
        events = np.where(closed, blocks.events[:, :most], np.nan)
        p = np.where(closed, blocks.share[:, :most], 0.5)
        seen_g = _candidate_events(blocks, most)
        omega = self.rule.noise.tau
        size = np.where(total > 0, total * share * (1 - share), np.nan)
        mean = np.nan_to_num(_row_mean(size))
        prior = np.maximum(1.2, 1 + omega**2 * mean)
        phi, freedom = dispersion(seen_g, events, p, prior, DISPERSION_WEIGHT)
        return phi, freedom + DISPERSION_WEIGHT

    def _negligible(self, k: int) -> Floats:
        """Return how far the extra events per request are ruled out to be worth minding.

        The interval of a difference from the limits of its parts: G. Y. Zou, A. Donner (2008),
        "Construction of confidence limits about effect measures", Stat. Med. 27, 1693-1702.
        """
        rule = self.rule
        good = np.isfinite(self.candidate[:, :k])
        g, b, n_g, n_b = (
            np.where(good, x[:, :k], 0.0).sum(axis=1)
            for x in (
                self.candidate,
                self.baseline,
                self.candidate_chances,
                self.baseline_chances,
            )
        )
        hurt, safe, n_hurt, n_safe = (g, b, n_g, n_b) if rule.sign > 0 else (b, g, n_b, n_g)
        bound = rule.plan.pass_bound(k) * rule.noise.kappa
        n_hurt, n_safe = np.maximum(n_hurt, 1e-9), np.maximum(n_safe, 1e-9)
        level = float(special.ndtr(-bound))
        rate, base = hurt / n_hurt, safe / n_safe
        upper = poisson_upper(hurt, level) / n_hurt
        lower = poisson_lower(safe, level) / n_safe
        limit = rate - base + np.hypot(upper - rate, base - lower)
        return np.where(n_hurt > 1, rule.negligible / np.maximum(limit, 1e-12), 0.0)


def pooled_z(harmed: Floats, total: Floats, share: Floats, phi: Floats) -> Floats:
    """Return the z of the exact conditional test on pooled counts divided by ``phi``."""
    events = total.sum(axis=1)
    pooled = (total * share).sum(axis=1) / np.maximum(events, 1e-9)
    pooled = np.where(events > 0, pooled, 0.5)
    return upper_tail_z(conditional_p(harmed.sum(axis=1) / phi, events / phi, pooled))


def t_to_z_capped(z: Floats, df: Floats) -> Floats:
    """Read a z whose dispersion was estimated as Student's t."""
    lower: Floats = np.minimum(t_to_z(z, df), z)
    return lower


def _without_worst_two(harmed: Floats, due: Floats, good: Floats) -> Floats:
    """Return 1 for periods to keep, 0 for the two neighbours with the largest excess."""
    excess = np.where(good, harmed - due, 0.0)
    keep = np.ones_like(excess)
    if excess.shape[1] > 2:
        start = (excess[:, 1:] + excess[:, :-1]).argmax(axis=1)
        rows = np.arange(len(excess))
        keep[rows, start] = keep[rows, start + 1] = 0.0
    return keep


def _candidate_events(blocks: Blocks, most: int) -> Floats:
    """Recover each block's candidate count from its log ratio."""
    odds = blocks.share[:, :most] / (1 - blocks.share[:, :most])
    ratio = np.exp(blocks.d[:, :most]) * odds
    seen: Floats = (blocks.events[:, :most] + 1) * ratio / (1 + ratio) - 0.5
    return seen


def _row_mean(values: Floats) -> Floats:
    mask = np.isfinite(values)
    mean: Floats = np.where(mask, values, 0.0).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)
    return mean
