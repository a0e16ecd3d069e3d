"""From pairs of periods to the model that a metric's kind calls for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from canary.judge.counts import Counts
from canary.judge.evidence import Model, Ratio
from canary.judge.level import Level
from canary.judge.pairs import Pairs, Side
from canary.judge.rule import Rule
from canary.judge.rules import rule_of
from canary.model import Recording
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats
from canary.stats.effects import log_ratio, mean_variance, quantile_variance
from canary.stats.paired import Mask, masked_median

TYPICAL_SPREAD = 0.7
"""Standard deviation of the log of one request's latency where the source cannot tell."""


def models_of(
    policy: Policy, metric: Metric, recording: Recording, pairs: Pairs
) -> tuple[Model, ...]:
    """Return one model for each direction that is harm."""
    known = recording.calibration.get(metric.name)
    points = baseline_level(pairs) if metric.limit.scale == "points" else 1.0
    signs = {"increase": (1.0,), "decrease": (-1.0,), "either": (1.0, -1.0)}[metric.harmful]
    rules = [rule_of(policy, metric, sign, known, points) for sign in signs]
    rules = [_with_hosts(rule, metric, pairs, calibrated=bool(known)) for rule in rules]
    return tuple(_model(metric, pairs, rule) for rule in rules)


def _model(metric: Metric, pairs: Pairs, rule: Rule) -> Model:
    keep = pairs.both
    g, b = (np.where(keep, side.values, np.nan)[None, :] for side in _arms(pairs))
    n_g, n_b = (np.where(keep, side.samples, np.nan)[None, :] for side in _arms(pairs))
    if metric.kind == "count":
        if metric.per == "time":
            n_g, n_b = (_present(side, keep) for side in _arms(pairs))
        return Counts.of(g, b, n_g, n_b, rule)
    if metric.kind == "throughput":
        odds = pairs.sent / (1 - pairs.sent)
        return Ratio(log_ratio(g, b) - np.log(odds)[None, :], 1 / _some(g) + 1 / _some(b), rule)
    if metric.kind == "level":
        return Level(g - b if metric.limit.scale == "points" else log_ratio(g, b), rule)
    if metric.kind == "gauge":
        d = log_ratio(g, b)
        return Ratio(d, np.where(np.isfinite(d), 0.0, np.nan), rule)
    spread = typical_spread(pairs)
    if metric.quantile is None:
        return Ratio(log_ratio(g, b), mean_variance(spread, n_g, n_b), rule)
    return Ratio(log_ratio(g, b), quantile_variance(spread, metric.quantile, n_g, n_b), rule)


def _arms(pairs: Pairs) -> tuple[Side, Side]:
    return pairs.candidate, pairs.baseline


def _some(counts: Floats) -> Floats:
    return np.where(counts > 0, counts, np.nan)


def _present(side: Side, keep: Mask) -> Floats:
    there = np.isfinite(side.instance_values).sum(axis=0).astype(float)
    return np.where(keep, there, np.nan)[None, :]


def typical_spread(pairs: Pairs) -> float:
    """Return the median spread of one observation over both arms."""
    seen = np.concatenate([pairs.candidate.spread, pairs.baseline.spread])
    seen = seen[np.isfinite(seen) & (seen > 0)]
    return float(np.median(seen)) if len(seen) else TYPICAL_SPREAD


def baseline_level(pairs: Pairs) -> float:
    """Return the baseline's usual value, so that defaults for it have its unit."""
    values = pairs.baseline.values
    level = float(masked_median(values[None, :], np.isfinite(values)[None, :])[0])
    return abs(level) if values.size else 0.0


def _with_hosts(rule: Rule, metric: Metric, pairs: Pairs, *, calibrated: bool) -> Rule:
    """Let several instances per arm lower, and their spread raise, what hosts differ by.

    A calibration already holds the difference between two equal arms of this environment.
    """
    arms = _arms(pairs)
    counts = [max(side.instances, 1) for side in arms]
    if calibrated or metric.kind not in ("latency", "quantile", "gauge", "level"):
        return rule
    believed = rule.noise.host**2 / 2
    off = [_offsets(side.instance_values, points=metric.limit.scale == "points") for side in arms]
    freedom = sum(max(len(one) - 1, 0) for one in off)
    squares = sum(float(((one - one.mean()) ** 2).sum()) for one in off if len(one) > 1)
    one_host = (4.0 * believed + squares) / (4.0 + freedom)
    host = float(np.sqrt(one_host * sum(1 / count for count in counts)))
    return replace(rule, noise=replace(rule.noise, host=host))


def _offsets(values: Floats, *, points: bool) -> Floats:
    """Return how far each instance's usual value lies from zero, or from one on the log scale."""
    mask = np.isfinite(values) & (points | (values > 0))
    scaled = values if points else np.log(np.where(mask, values, 1.0))
    there = mask.any(axis=1)
    usual: Floats = masked_median(scaled, mask)[there]
    return usual
