"""Whether equal instances stay equal, or drift apart: then no margin holds for long.

The difference between two groups of instances is averaged over each window. If it only scatters,
its shift from the first third of the windows to the last one is as large as neighbouring windows
differ. A memory that grows at another pace on each host shifts more.

Reference:
    J. von Neumann (1941), "Distribution of the ratio of the mean square successive difference to
    the variance", Annals of Mathematical Statistics 12(4), 367-395.
"""

from __future__ import annotations

import math

import numpy as np

from canary.formatting import percent
from canary.judge.comparison import Arms
from canary.policy import Metric

FEWEST = 9
"""Windows from which on a drift can be told from scatter."""
SURELY, LEAST = 4.0, 0.01
"""A drift is this many standard errors, and this large as a logarithm."""


def drift_words(metric: Metric, arms: Arms) -> str:
    """Return what is wrong with a metric whose groups drift apart, or an empty string.

    Each row of ``arms`` is a window, in the order of time, with the same groups.
    """
    if metric.kind == "count":
        return ""
    good = (arms.candidate > 0) & (arms.baseline > 0)
    logs = np.log(np.where(good, arms.candidate, 1.0) / np.where(good, arms.baseline, 1.0))
    seen = good.sum(axis=1)
    d = logs.sum(axis=1)[seen > 0] / seen[seen > 0]
    if len(d) < FEWEST:
        return ""
    third = len(d) // 3
    shift = abs(float(d[-third:].mean() - d[:third].mean()))
    scatter = float(np.median(np.abs(np.diff(d)))) / 0.6745 / math.sqrt(2)
    if shift < LEAST or shift < SURELY * scatter * math.sqrt(2 / third):
        return ""
    return (
        f"Equal instances drift apart: their difference moved by {percent(math.expm1(shift))} in "
        "the first half of the history, so no margin would hold for long"
    )
