"""What a lead-in tells: how far these very hosts differ while both run the same release.

It replaces most of the difference between hosts that otherwise has to be assumed. What the lead-in
measured is taken off, as far as it is certain; what is left of it stays in the error.
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
"""How much the difference between two hosts may change afterwards, as a share of its size."""
FEWEST = 10
"""Periods that a lead-in needs."""


def after_lead_in(model: Counts | Level | Ratio, before: Counts | Level | Ratio) -> Ratio | None:
    """Return ``model`` without the hosts' own difference, as ``before`` measured it.

    None: it tells nothing here. Events are too few for it, and the level of a memory depends on the
    age of its process.
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
    """Return the share of a measured difference that is believed, and what stays unknown.

    ``usual`` is the standard deviation of the difference, ``error`` that of its measurement.

    >>> known, left = remaining(0.015, np.array([0.01]))
    >>> round(float(known[0]), 2), round(left, 4)
    (0.69, 0.0091)
    """
    known = usual**2 / (usual**2 + error**2)
    left = float(np.median(known * error**2)) + (DRIFT * usual) ** 2
    return known, math.sqrt(left)
