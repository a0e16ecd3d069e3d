"""The acute channel: a catastrophe fails within a few periods, whenever it begins.

The mean over a run limits the weight of outliers, so it reacts slowly to an outage. This channel
tests the newest pairs without such a limit. It spends its own share of alpha, spread over the run:
an exact test at that level excludes chance. A burst on one host is not chance, so the harm must
also be large: all of the newest periods must be bad, and their events must be many times the
baseline's and many in absolute numbers. The baseline of the same periods is the reference, so harm
to both arms raises no alarm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from canary.judge.newest import TOTALS, mean_error, newest, reported
from canary.policy import Metric
from canary.stats.counts import conditional_p
from canary.stats.distributions import Floats, upper_tail_z
from canary.stats.paired import MAD_TO_SD, Mask, Noise, masked_median

TAIL = 0.95
EVENTS_PERIODS, SERIES_PERIODS = 3, 4
EVENTS_TIMES, SLOWER_TIMES, TAIL_TIMES = 9.0, 2.5, 5.0
POOLED_TIMES, EACH_TIMES = 6.0, 3.0
"""The smallest ratios over all of the newest periods, and in each one, whatever the median is."""
YOUNG, YOUNG_TIMES = 10, 7.0
"""Up to this many pairs the usual rate is uncertain, so a smaller pooled ratio is enough."""
NEARLY = 0.9
"""Share of the bound, on the log scale, that each single period must reach (latencies)."""
CHANCE_TIMES = 1.5
"""The test must also reject this ratio of rates, not only equal rates."""
BELIEVED = 5.0
"""The weight, in events, of the baseline's earlier rate when its newest rate is estimated."""
UNUSUAL = 2.5
"""Beyond this many standard deviations above the earlier rate, only the newest count is used."""
MORE_EVENTS, FEWER_EVENTS, TIMED_EVENTS = 0.05, 0.01, 1.0
"""Smallest change in events: 5 points more, 1 point fewer; or per instance and period."""


@dataclass(frozen=True, slots=True)
class AcuteBounds:
    """How bad the newest periods must be to fail at once.

    Attributes:
        periods: how many of the newest pairs are compared with the bounds.
        times: the smallest ratio of the candidate's value to the baseline's.
        least: the smallest number of extra events per request (counts only).
        level: the probability of a false alarm at one look.
    """

    periods: int
    times: float
    least: float
    level: float


def acute_bounds(metric: Metric, alpha: float, horizon: int) -> AcuteBounds | None:
    """Return the bounds of ``metric``, whose ``alpha`` has to last for ``horizon`` periods."""
    if metric.kind == "count":
        periods, times, least = EVENTS_PERIODS, EVENTS_TIMES, _least(metric)
    elif metric.kind in ("latency", "quantile"):
        tail = (metric.quantile or 0.0) >= TAIL
        periods, times, least = SERIES_PERIODS, TAIL_TIMES if tail else SLOWER_TIMES, 0.0
    else:
        return None
    return AcuteBounds(periods, times, least, alpha / max(horizon / periods, 1.0))


def _least(metric: Metric) -> float:
    if metric.per == "time":
        return TIMED_EVENTS
    return FEWER_EVENTS if metric.harmful == "decrease" else MORE_EVENTS


def acute_events(
    columns: tuple[Floats, Floats, Floats, Floats], bounds: AcuteBounds, sign: float
) -> dict[str, Floats]:
    """Return the numbers of the runs whose newest counts are a catastrophe.

    ``columns`` are the events of candidate and baseline, and their requests. Other runs hold NaN.
    """
    good = np.isfinite(columns[0])
    enough, pairs = newest(good, bounds.periods, *columns)
    g, b, n_g, n_b = (np.where(enough[:, None], one, 1.0) for one in pairs)
    hurt, safe, n_hurt, n_safe = (g, b, n_g, n_b) if sign > 0 else (b, g, n_b, n_g)
    past, past_chances = (columns[1], columns[3]) if sign > 0 else (columns[0], columns[2])
    usual = _usual(past, past_chances, good)
    rates = (hurt / n_hurt) / _expected(safe, n_safe, usual[:, None])
    whole = [one.sum(axis=1) for one in (hurt, safe, n_hurt, n_safe)]
    pooled = (whole[0] / whole[2]) / _expected(whole[1], whole[3], usual)
    sure = np.where(good.sum(axis=1) <= YOUNG, YOUNG_TIMES, bounds.times)
    much = (np.median(rates, axis=1) >= bounds.times) | (pooled >= sure)
    steady = (pooled >= POOLED_TIMES) & (rates.min(axis=1) >= EACH_TIMES)
    large = whole[0] / whole[2] - whole[1] / whole[3] >= bounds.least
    alarm = enough & much & steady & large & (_chance(*whole) <= bounds.level)
    totals = (one.sum(axis=1) for one in (g, b, n_g, n_b))
    return reported("acute", alarm, bounds.periods, dict(zip(TOTALS, totals, strict=True)))


def _usual(events: Floats, chances: Floats, good: Mask) -> Floats:
    """Return the event rate of the unharmed arm over the whole run."""
    seen, of = (np.where(good, one, 0.0).sum(axis=1) for one in (events, chances))
    rate: Floats = (seen + 0.5) / np.maximum(of, 1e-9)
    return rate


def _expected(events: Floats, chances: Floats, usual: Floats) -> Floats:
    """Return the rate that the harmed arm is compared with.

    A rate from a few events is uncertain, so it is averaged with the arm's earlier rate. With
    clearly more events than usual it is not, because then something harms both arms.
    """
    due = usual * chances
    unusual = events > due + UNUSUAL * np.sqrt(due + 1)
    mixed = (events + BELIEVED) / (chances + BELIEVED / usual)
    return np.where(unusual, (events + 0.5) / chances, mixed)


def _chance(hurt: Floats, safe: Floats, n_hurt: Floats, n_safe: Floats) -> Floats:
    share = CHANCE_TIMES * n_hurt / (CHANCE_TIMES * n_hurt + n_safe)
    return conditional_p(hurt, hurt + safe, share)


def acute_series(d: Floats, v: Floats, noise: Noise, bounds: AcuteBounds) -> dict[str, Floats]:
    """Return the mean of the runs whose newest log ratios ``d`` are a catastrophe.

    ``d`` is positive where harmful. Other runs hold NaN.
    """
    good = np.isfinite(d) & np.isfinite(v)
    enough, (latest, known) = newest(good, bounds.periods, d, v)
    latest, known = (np.where(enough[:, None], one, 0.0) for one in (latest, known))
    mean = latest.mean(axis=1)
    large = math.log(bounds.times)
    alarm = enough & (mean >= large) & (latest.min(axis=1) >= NEARLY * large)
    if alarm.any():
        error = _error(d, good, known, noise)
        alarm &= mean >= upper_tail_z(bounds.level) * error
    return reported("acute", alarm, bounds.periods, {"effect": mean})


def _error(d: Floats, good: Mask, known: Floats, noise: Noise) -> Floats:
    """Return the error of the newest periods' mean; large scatter before them widens it."""
    count = known.shape[1]
    later = np.cumsum(good[:, ::-1], axis=1)[:, ::-1]
    before = good & (later > count)
    off = np.abs(d - masked_median(d, before)[:, None])
    wild = MAD_TO_SD * masked_median(np.where(before, off, 0.0), before)
    tau = np.maximum(np.where(before.sum(axis=1) >= count, wild, 0.0), noise.tau)
    return mean_error(known.mean(axis=1) / count, tau, noise, count)
