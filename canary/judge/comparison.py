"""The comparison for each kind of metric, and the arrays that it compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from canary.evidence.lead_in import same_hosts
from canary.evidence.pairs import Pairs
from canary.evidence.pooling import GroupSeries
from canary.judge.channels import Assessment, Channel
from canary.judge.counts import Counts
from canary.judge.floor import floored
from canary.judge.lead_in import after_lead_in
from canary.judge.level import Level
from canary.judge.priors import Setting, setting_of
from canary.judge.ratio import Ratio
from canary.judge.rule import Rule, rule_of, sign_of, signs_of
from canary.judge.typical import Model, with_typical_comparison
from canary.learned import Calibration
from canary.model import Recording
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats
from canary.stats.effects import least_variance, log_ratio, mean_variance, quantile_variance
from canary.stats.paired import QUANTUM, Mask, Noise, masked_median

TYPICAL_SPREAD = 0.7
"""Standard deviation of the log of one request's latency, if the source does not report it."""


@dataclass(frozen=True, slots=True)
class Arms:
    """The values of both arms of one metric: arrays ``[runs, periods]``, NaN where missing.

    Attributes:
        candidate: the metric's statistic per period; for counts the events.
        candidate_chances: samples behind each value; for counts the requests (or instances).
        sent: the candidate's share of the traffic that the proxy sent (throughput only).
        spread: standard deviation of the log of one observation (latencies only).
    """

    candidate: Floats
    baseline: Floats
    candidate_chances: Floats
    baseline_chances: Floats
    sent: Floats | float = 0.5
    spread: Floats | float = TYPICAL_SPREAD


class Comparison(Protocol):
    """The comparison of one metric."""

    @property
    def rule(self) -> Rule:
        """The rule that the metric is judged by."""
        ...

    def channels(self, k: int) -> tuple[Channel, ...]:
        """Return all channels after ``k`` periods."""
        ...

    def look(self, k: int) -> Assessment:
        """Return the assessment after ``k`` periods."""
        ...


def comparison_of(metric: Metric, arms: Arms, rule: Rule) -> Counts | Level | Ratio:
    """Return the comparison of ``arms`` for the metric's kind."""
    g, b = arms.candidate, arms.baseline
    n_g, n_b = arms.candidate_chances, arms.baseline_chances
    if metric.kind == "count":
        return Counts.of(g, b, n_g, n_b, rule)
    if metric.kind == "level":
        return Level(g - b if metric.limit.scale == "points" else log_ratio(g, b), rule)
    d = log_ratio(g, b)
    if metric.kind == "throughput":
        sent = np.asarray(arms.sent, dtype=float)
        d = d - np.log(sent / (1 - sent))
    return Ratio(d, _known_variance(metric, arms, d), _log(g), _log(b), rule)


def _known_variance(metric: Metric, arms: Arms, d: Floats) -> Floats:
    """Return the sampling variance of each difference."""
    if metric.kind == "gauge" or unsampled(metric, arms):
        return least_variance(d)
    if metric.kind == "throughput":
        return 1 / _some(arms.candidate) + 1 / _some(arms.baseline)
    chances = arms.candidate_chances, arms.baseline_chances
    if metric.quantile is None:
        return mean_variance(arms.spread, *chances)
    return quantile_variance(arms.spread, metric.quantile, *chances)


def unsampled(metric: Metric, arms: Arms) -> bool:
    """Return whether a latency has no sample sizes: then only its scatter shows its noise."""
    if metric.kind not in ("latency", "quantile"):
        return False
    both = np.isfinite(arms.candidate_chances) & np.isfinite(arms.baseline_chances)
    return not bool(both.any())


def _open(noise: Noise) -> Noise:
    """Return a noise whose default has little weight: the data give its size."""
    return replace(noise, tau_weight=1.0)


def _log(values: Floats) -> Floats:
    return np.log(_some(values))


def comparisons_of(
    policy: Policy,
    metric: Metric,
    recording: Recording,
    pairs: Pairs,
    lead: Pairs | None = None,
) -> tuple[Comparison, ...]:
    """Return one comparison for each direction of harm; ``lead`` holds the data of a lead-in."""
    known = recording.calibration.get(metric.name)
    usual = usual_level(pairs.baseline.values[None, :])
    points = usual if metric.limit.scale == "points" else 1.0
    arms = arms_of(metric, pairs)
    setting = _setting(recording.calibration, pairs)
    rules = [rule_of(policy, metric, sign, known, points, setting) for sign in signs_of(metric)]
    rules = [floored(rule, metric, usual) for rule in rules]
    if unsampled(metric, arms):
        rules = [replace(rule, noise=_open(rule.noise), rough=_open(rule.rough)) for rule in rules]
    rules = [_with_hosts(rule, metric, pairs, calibrated=known is not None) for rule in rules]
    models = with_typical_comparison(
        [comparison_of(metric, arms, rule) for rule in rules],
        _typical_comparison(policy, recording, pairs.typical),
    )
    if lead is None or not same_hosts(lead, pairs):
        return models
    return minus_lead_in(metric, models, arms_of(metric, lead))


def _typical_comparison(
    policy: Policy, recording: Recording, typical: tuple[Metric, Pairs] | None
) -> Sequence[Model]:
    """Return the comparison of the typical latency that a tail refers to, if there is one."""
    if typical is None:
        return ()
    metric, pairs = typical
    rule = rule_of(policy, metric, sign_of(metric), recording.calibration.get(metric.name))
    return (comparison_of(metric, arms_of(metric, pairs), rule),)


def minus_lead_in(
    metric: Metric, models: tuple[Counts | Level | Ratio, ...], before: Arms
) -> tuple[Comparison, ...]:
    """Return the comparisons less the difference between hosts that a lead-in measured."""
    return tuple(
        after_lead_in(model, comparison_of(metric, before, model.rule)) or model for model in models
    )


def _setting(calibration: Calibration, pairs: Pairs) -> Setting:
    hosts = len(pairs.candidate.hosts), len(pairs.baseline.hosts)
    return setting_of(calibration.fingerprint, hosts, least_share(pairs.sent[pairs.expected]))


def least_share(sent: Floats | float) -> float:
    """Return the candidate's share furthest from an even split; 0.5 if unknown."""
    shares = np.atleast_1d(np.asarray(sent, dtype=float))
    shares = shares[np.isfinite(shares)]
    return float(shares[np.argmax(np.abs(shares - 0.5))]) if shares.size else 0.5


def arms_of(metric: Metric, pairs: Pairs) -> Arms:
    """Return the values of one canary as arrays with one row."""
    keep = pairs.both
    sides = (pairs.candidate, pairs.baseline)
    g, b = (np.where(keep, side.values, np.nan)[None, :] for side in sides)
    n_g, n_b = (np.where(keep, side.samples, np.nan)[None, :] for side in sides)
    if metric.kind == "count" and metric.per == "time":
        n_g, n_b = (_present(side, keep) for side in sides)
    return Arms(g, b, n_g, n_b, pairs.sent[None, :], typical_spread(pairs))


def _some(counts: Floats) -> Floats:
    return np.where(counts > 0, counts, np.nan)


def _present(side: GroupSeries, keep: Mask) -> Floats:
    there = np.isfinite(side.host_values).sum(axis=0).astype(float)
    return np.where(keep, there, np.nan)[None, :]


def typical_spread(pairs: Pairs) -> float:
    """Return the median spread of one observation over both arms."""
    seen = np.concatenate([pairs.candidate.spread, pairs.baseline.spread])
    seen = seen[np.isfinite(seen) & (seen > 0)]
    return float(np.median(seen)) if len(seen) else TYPICAL_SPREAD


def usual_level(values: Floats) -> float:
    """Return the baseline's usual value, which scales the defaults of margins in points."""
    if not values.size:
        return 0.0
    middles = np.abs(masked_median(values, np.isfinite(values)))
    return float(middles[0] if len(middles) == 1 else np.median(middles))


def _with_hosts(rule: Rule, metric: Metric, pairs: Pairs, *, calibrated: bool) -> Rule:
    """Adapt the difference between hosts to their number and spread.

    A calibration already holds the difference between two equal arms of this environment.
    """
    arms = (pairs.candidate, pairs.baseline)
    counts = [max(len(side.hosts), 1) for side in arms]
    if calibrated or metric.kind not in ("latency", "quantile", "gauge", "level"):
        return rule
    believed = rule.noise.host**2 / 2
    off = [_offsets(side.host_values, points=metric.limit.scale == "points") for side in arms]
    freedom = sum(max(len(one) - 1, 0) for one in off)
    squares = sum(float(((one - one.mean()) ** 2).sum()) for one in off if len(one) > 1)
    one_host = (4.0 * believed + squares) / (4.0 + freedom)
    # rounded, as the differences are, so that the unit does not change the last bit
    host = round(float(np.sqrt(one_host * sum(1 / count for count in counts))), QUANTUM)
    noise, rough = (replace(one, host=host) for one in (rule.noise, rule.rough))
    return replace(rule, noise=noise, rough=rough)


def _offsets(values: Floats, *, points: bool) -> Floats:
    """Return each instance's usual value, or its logarithm."""
    mask = np.isfinite(values) & (points | (values > 0))
    scaled = values if points else np.log(np.where(mask, values, 1.0))
    there = mask.any(axis=1)
    usual: Floats = masked_median(scaled, mask)[there]
    return usual
