"""Detect whether equal instances drift apart, because a margin must then allow for the drift.

The difference between two groups of instances is averaged over each window. If it only scatters,
its shift from the first to the last third of the windows is about as large as the difference
between neighbouring windows. If memory grows at a different rate on each host, the shift is larger.

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
"""Least number of windows in which a drift can be distinguished from scatter."""
SURELY, LEAST = 4.0, 0.01
"""Least size of a drift: in standard errors, and as a logarithm."""
AGAIN = 1.5
"""The drift over the next time of equal length, as a multiple of the shift between the middles of
the first and the last third, which are two thirds of the time apart."""


def drift_of(metric: Metric, arms: Arms) -> float:
    """Return the log ratio by which the groups will drift in the next time of equal length, or 0.

    Each row of ``arms`` is a window with the same groups, in the order of time.
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
    """Return the arms after a drift of the candidate towards harm."""
    sign = -1 if metric.harmful == "decrease" else 1
    return replace(arms, candidate=arms.candidate * math.exp(sign * drift))


def drift_words(drift: float) -> str:
    """Return a sentence about a drift of the instances."""
    return (
        f"Equal instances drift apart, by {percent(math.expm1(drift))} in half the time of this "
        "history"
    )
