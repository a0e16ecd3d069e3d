"""The other rules: first alarm per canary and metric, as a period; 0 means never.

Every rule sees the growing window of one value per arm and period, as in its own tool, without
times and pairs. Harm is always one-sided, so alarms about a better metric do not count against a
rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtr

from tests.bench.verdict.ranks import shifted_z
from tests.bench.verdict.readings import COUNTS, METRICS, Canaries, Floats, Ints

FALLS = ("checkouts", "throughput")
KAYENTA_Z, STRICT_Z = float(ndtri(0.99)), float(ndtri(0.9975))
SIZE, MEMORY_SIZE = 0.01, 0.002
"""The share of equal canaries that size-matched Kayenta may fail, and that for memory alone."""
FIRST = 10
MEMORY_GATE = 1.05
AT_END, EVERY = "Kayenta, one look at the end", "Kayenta, every period"
THREE_RUNS = "Kayenta, three runs, 75/95"
STRICT = "Kayenta at 99.5 %, every period"
MATCHED = "Kayenta, size-matched, every period"
MANN_WHITNEY = "Mann-Whitney .05, at the end"
WELCH = ("Welch .05, at the end", "Welch .05, every period", "Welch .01, every period")
FLAGGER = "Flagger, fixed lines, 5 checks"
ARGO = ("Argo, ratio > 1.1, limit 0", "Argo, ratio > 1.1, limit 3")
RULES = (AT_END, EVERY, STRICT, MATCHED, MANN_WHITNEY, *WELCH, FLAGGER, *ARGO)
Alarms = Mapping[str, Mapping[str, Ints]]


def values(canaries: Canaries, name: str) -> tuple[Floats, Floats]:
    """Return one value per period of candidate and baseline, with signs so that more is harm."""
    readings = canaries.metrics[name]
    x, y = readings.candidate, readings.baseline
    if name in COUNTS:
        x, y = 100 * x / readings.candidate_samples, 100 * y / readings.baseline_samples
    if name == "throughput":
        x, y = x / canaries.share, y / (1 - canaries.share)
    return (-x, -y) if name in FALLS else (x, y)


@dataclass(frozen=True, slots=True)
class Match:
    """The z and the memory gate with which Kayenta's rule alarms as often as ours may."""

    z: float
    gate: float


def match(equal: Canaries) -> Match:
    """Return the z and the gate at which Kayenta's rule fails 1 % of these equal canaries.

    This is at every period, over all metrics. Memory has a lasting difference between two hosts,
    which no rank test can distinguish from harm. So a separate gate limits its alarms, and the
    other metrics keep their power. Kayenta cannot be configured like this, and the numbers are not
    known in advance: they only make the power comparable.
    """
    looks = tuple(range(FIRST, equal.periods + 1))
    worst = np.full(equal.runs, -np.inf)
    for name in METRICS:
        if name != "memory":
            x, y = values(equal, name)
            high = np.where(
                growing_ratio(x, y, looks) >= 1.0, shifted_z(x, y, looks, 0.25), -np.inf
            )
            worst = np.maximum(worst, high.max(axis=1))
    size = SIZE - MEMORY_SIZE
    z = max(float(np.quantile(worst, 1 - size, method="higher")), KAYENTA_Z)
    x, y = values(equal, "memory")
    high = shifted_z(x, y, looks, 0.25) > z
    ratio = np.where(high, growing_ratio(x, y, looks), 1.0).max(axis=1)
    return Match(z, max(float(np.quantile(ratio, 1 - MEMORY_SIZE, method="higher")), MEMORY_GATE))


def alarms(canaries: Canaries, matched: Match, names: Sequence[str] = METRICS) -> Alarms:
    """Return first alarms by rule and metric. The score of three runs needs all metrics."""
    by_metric = {name: _metric_alarms(canaries, name, matched) for name in names}
    result = {
        rule: {name: found[rule] for name, found in by_metric.items() if rule in found}
        for rule in RULES
    }
    if set(names) == set(METRICS):
        result[THREE_RUNS] = {"score": three_runs(canaries)}
    return {rule: found for rule, found in result.items() if found}


def _metric_alarms(canaries: Canaries, name: str, matched: Match) -> dict[str, Ints]:
    x, y = values(canaries, name)
    looks = tuple(range(FIRST, canaries.periods + 1))
    z, ratio = shifted_z(x, y, looks, 0.25), growing_ratio(x, y, looks)
    high = (z > KAYENTA_Z) & (ratio >= 1.0)
    gated = ratio >= (MEMORY_GATE if name == "memory" else 1.0)
    floor = matched.gate if name == "memory" else 1.0
    plain = shifted_z(x, y, looks[-1:], 0.0)
    t, freedom = welch(x, y, looks)
    welch_p = 1 - stdtr(freedom, t)
    found = {
        AT_END: first(high[:, -1:], looks[-1:]),
        EVERY: first(high, looks),
        STRICT: first((z > STRICT_Z) & gated, looks),
        MATCHED: first((z > matched.z) & (ratio >= floor), looks),
        MANN_WHITNEY: first(plain > float(ndtri(0.95)), looks[-1:]),
        WELCH[0]: first(welch_p[:, -1:] < 0.05, looks[-1:]),
        WELCH[1]: first(welch_p < 0.05, looks),
        WELCH[2]: first(welch_p < 0.01, looks),
    }
    return found | _thresholds(name, x, y)


def _thresholds(name: str, x: Floats, y: Floats) -> dict[str, Ints]:
    """Return the alarms of Flagger (fixed limits of 5xx and p99) and Argo (ratio of latencies)."""
    looks = tuple(range(1, x.shape[1] + 1))
    if name == "latency_mean":
        failed = np.cumsum(x > 1.1 * y, axis=1)
        return {
            ARGO[1]: first(failed > 3, looks),
            ARGO[0]: first(failed > 0, looks),
        }
    usual = float(np.nanmedian(y))
    line = {"errors_5xx": 2.0 * usual, "latency_p99": 1.5 * usual}.get(name)
    if line is None:
        return {}
    return {FLAGGER: first(np.cumsum(x > line, axis=1) >= 5, looks)}


def first(hits: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], looks: Sequence[int]) -> Ints:
    """Return the look at which each canary first alarms, 0 if it never does."""
    return np.where(hits.any(axis=1), np.array(looks)[hits.argmax(axis=1)], 0)


def growing_ratio(x: Floats, y: Floats, looks: Sequence[int]) -> Floats:
    """Return the candidate's mean divided by the baseline's, inverted if less is harm."""
    means = [_growing(sample, looks)[1] for sample in (x, y)]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = means[0] / means[1]
        return np.where(means[1] < 0, 1 / ratio, ratio)


def welch(x: Floats, y: Floats, looks: Sequence[int]) -> tuple[Floats, Floats]:
    """Return Welch's t and its degrees of freedom at every look."""
    (n_x, mean_x, var_x), (n_y, mean_y, var_y) = _growing(x, looks), _growing(y, looks)
    with np.errstate(invalid="ignore", divide="ignore"):
        a, b = var_x / n_x, var_y / n_y
        freedom = (a + b) ** 2 / (a**2 / (n_x - 1) + b**2 / (n_y - 1))
        return (mean_x - mean_y) / np.sqrt(a + b), freedom


def _growing(sample: Floats, looks: Sequence[int]) -> tuple[Floats, Floats, Floats]:
    """Return the count, mean and variance of the data up to each look."""
    at = np.array(looks) - 1
    known = np.isfinite(sample)
    n = np.cumsum(known, axis=1)[:, at].astype(float)
    centre = np.nanmean(sample, axis=1, keepdims=True)
    off = np.where(known, sample - centre, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.cumsum(off, axis=1)[:, at] / n
        variance = (np.cumsum(off**2, axis=1)[:, at] - n * mean**2) / (n - 1)
    return n, mean + centre, np.maximum(variance, 1e-300)


def three_runs(canaries: Canaries) -> Ints:
    """Return the alarms of Kayenta as documented: three runs, scores below 75, 75 and 95 fail.

    Ten metrics have equal weights, so each metric that passes adds ten to the score.
    """
    periods = canaries.periods
    ends = (periods // 3, 2 * periods // 3, periods)
    high = np.sum([_high_at(canaries, name, ends) for name in METRICS], axis=0)
    scores = 100 - 10.0 * high
    failed = np.column_stack((scores[:, :2] < 75, scores[:, 2:] < 95))
    return first(failed, ends)


def _high_at(canaries: Canaries, name: str, looks: Sequence[int]) -> Floats:
    x, y = values(canaries, name)
    high = shifted_z(x, y, looks, 0.25) > KAYENTA_Z
    return (high & (growing_ratio(x, y, looks) >= 1.0)).astype(float)
