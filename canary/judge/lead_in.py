"""The lead-in measures how far these very hosts differ while both arms run the same release.

The measured difference replaces most of the one that has to be assumed otherwise. It is subtracted
as far as it is certain; the remaining uncertainty stays in the error.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from canary.judge.counts import Counts
from canary.judge.level import Level
from canary.judge.ratio import Ratio
from canary.stats.distributions import Floats
from canary.stats.paired import QUANTUM, paired_mean

DRIFT = 0.25
"""How much the difference between two hosts may change after the lead-in, as a share of its
size."""
FEWEST = 10
"""Periods that a lead-in needs."""


def after_lead_in(model: Counts | Level | Ratio, before: Counts | Level | Ratio) -> Ratio | None:
    """Return ``model`` less the hosts' own difference, which ``before`` measured.

    None where it does not help: events are too few, and memory depends on the age of the process.
    """
    if not isinstance(model, Ratio) or not isinstance(before, Ratio):
        return None
    rule = model.rule
    usual = math.hypot(rule.noise.host, rule.weather)
    whole = paired_mean(before.d, before.v, replace(rule.noise, host=0.0))
    if usual <= 0 or float(np.median(whole.pairs)) < FEWEST:
        return None
    known, left = remaining(usual, whole.error)
    host = min(round(left, QUANTUM), usual)
    offset = np.round(known * whole.mean, QUANTUM)
    noise, rough = (replace(one, host=host) for one in (rule.noise, rule.rough))
    return replace(
        model,
        d=model.d - offset[:, None],
        offset=offset,
        rule=replace(rule, noise=noise, rough=rough, weather=0.0),
    )


def remaining(usual: float, error: Floats) -> tuple[Floats, float]:
    """Return the share of a measured difference to subtract, and the error that remains.

    ``usual`` is the standard deviation of the difference, ``error`` that of its measurement.

    >>> known, left = remaining(0.015, np.array([0.01]))
    >>> round(float(known[0]), 2), round(left, 4)
    (0.69, 0.0091)
    """
    known = usual**2 / (usual**2 + error**2)
    left = float(np.median(known * error**2)) + (DRIFT * usual) ** 2
    return known, math.sqrt(left)
