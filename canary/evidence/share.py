"""A share of successful requests as a plain number; a count of failures would show smaller harm."""

from __future__ import annotations

import re

import numpy as np

from canary.evidence.pairs import Pairs
from canary.policy import Metric

NAMES = re.compile(r"succe|availab", re.IGNORECASE)
WHOLE = (1.0, 100.0)
"""The whole, as a fraction or as a percentage."""
LEAST = 0.8
"""A usual share of successes is at least this part of the whole."""


def share_of_successes(metric: Metric, pairs: Pairs) -> str:
    """Return how to measure a share of successes so that small harm shows, or an empty string."""
    if metric.kind not in ("gauge", "level") or not NAMES.search(metric.name):
        return ""
    values = pairs.baseline.values[pairs.both]
    if not len(values):
        return ""
    usual, most = float(np.median(values)), float(values.max())
    if not any(LEAST * whole <= usual and most <= whole for whole in WHOLE):
        return ""
    return (
        "a share of successes says nothing of how many requests it rests on. Count the requests "
        "that fail (kind: count, with all requests as samples): that shows far smaller harm"
    )
