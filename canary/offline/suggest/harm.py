"""The harm of a margin's size, and windows to which it was added."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from canary.judge.comparison import Arms, usual_level
from canary.judge.floor import floor_of
from canary.judge.rule import sign_of
from canary.policy import Metric

SEED = 20261128
"""Seed of the added events, so that they are the same every time."""


def rate_of_events(arms: Arms) -> float:
    """Return the events per request, or per instance and period, of both arms."""
    events = float(np.nansum(arms.candidate) + np.nansum(arms.baseline))
    chances = float(np.nansum(arms.candidate_chances) + np.nansum(arms.baseline_chances))
    return events / chances if chances else 0.0


def tested(metric: Metric, arms: Arms) -> float:
    """Return the harm that has to be found: relative, in points, or more events per request.

    It is the margin. If the negligible harm is larger than half of the margin, it is twice the
    negligible harm, because FAIL needs more than that.
    """
    if metric.kind == "count" and metric.harmful != "decrease":
        return max(rate_of_events(arms) * metric.limit.value, 2 * metric.negligible_rate)
    sign, usual = sign_of(metric), usual_level(arms.baseline)
    least = floor_of(metric, usual, sign)
    if metric.limit.scale == "relative":
        least = math.expm1(least) if sign > 0 else -math.expm1(-least)
    return max(metric.limit.value, 2 * least)


def harmed(metric: Metric, arms: Arms, size: float) -> Arms:
    """Return the arms with harm of ``size`` added to the candidate."""
    chance = np.random.default_rng(SEED)
    values, falls = arms.candidate, metric.harmful == "decrease"
    seen = np.isfinite(values) & np.isfinite(arms.candidate_chances)
    if metric.kind != "count":
        changed = (
            values + size
            if metric.limit.scale == "points"
            else values * (1 - size if falls else 1 + size)
        )
    elif falls:
        kept = chance.binomial(np.where(seen, values, 0).astype(int), 1 - size)
        changed = np.where(seen, kept, values)
    else:
        chances = np.where(seen, arms.candidate_chances, 0)
        more = chance.poisson(size * chances)
        room = np.inf if metric.per == "time" else np.maximum(chances - np.nan_to_num(values), 0)
        changed = np.where(seen, values + np.minimum(more, room), values)
    return replace(arms, candidate=changed)
