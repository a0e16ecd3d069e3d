"""Whether equal instances stay equal, or drift apart: then a margin has to bear the drift.

The difference between two groups of instances is averaged over each window. If it only scatters,
its shift from the first third of the windows to the last one is as large as neighbouring windows
differ. A memory that grows at another pace on each host shifts more.

Reference:
    J. von Neumann (1941), "Distribution of the ratio of the mean square successive difference to
    the variance", Annals of Mathematical Statistics 12(4), 367-395.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from canary.formatting import percent
from canary.judge.comparison import Arms
from canary.policy import Metric

FEWEST = 9
"""Windows from which on a drift can be told from scatter."""
SURELY, LEAST = 4.0, 0.01
"""A drift is this many standard errors, and this large as a logarithm."""
AGAIN = 1.5
"""How far a drift goes in as much time again: from the middle of the first third of the windows to
that of the last one is two thirds of the time."""


def drift_of(metric: Metric, arms: Arms) -> float:
    """Return how far the groups will have drifted after as much time again, or 0: a logarithm.

    Each row of ``arms`` is a window, in the order of time, with the same groups.
    """
    if metric.kind == "count":
        return 0.0
    good = (arms.candidate > 0) & (arms.baseline > 0)
    logs = np.log(np.where(good, arms.candidate, 1.0) / np.where(good, arms.baseline, 1.0))
    seen = good.sum(axis=1)
    d = logs.sum(axis=1)[seen > 0] / seen[seen > 0]
    if len(d) < FEWEST:
        return 0.0
    third = len(d) // 3
    shift = abs(float(d[-third:].mean() - d[:third].mean()))
    scatter = float(np.median(np.abs(np.diff(d)))) / 0.6745 / math.sqrt(2)
    sure = shift >= LEAST and shift >= SURELY * scatter * math.sqrt(2 / third)
    return AGAIN * shift if sure else 0.0


def drifted(metric: Metric, arms: Arms, drift: float) -> Arms:
    """Return the arms as they are when the candidate has drifted towards harm."""
    sign = -1 if metric.harmful == "decrease" else 1
    return replace(arms, candidate=arms.candidate * math.exp(sign * drift))


def drift_words(drift: float) -> str:
    """Return what a drift says about the instances."""
    return (
        f"Equal instances drift apart, by {percent(math.expm1(drift))} in half the time of this "
        "history"
    )
