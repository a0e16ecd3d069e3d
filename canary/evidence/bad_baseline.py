"""A note on a baseline that fails too, or alone: a comparison cannot show that."""

from __future__ import annotations

import numpy as np

from canary.evidence.pairs import Pairs
from canary.evidence.pooling import is_rate
from canary.formatting import percent
from canary.policy import Metric

BROKEN = 0.05
"""From this share of failed requests of the baseline on, a PASS says little."""
NEARLY_ALL = 0.9
"""From this share on, they are hardly failures."""


def counts_successes(metric: Metric, pairs: Pairs) -> str:
    """Return a sentence if nearly all requests of the baseline fail, or an empty string."""
    if not metric.is_failure or not is_rate(metric) or metric.harmful == "decrease":
        return ""
    candidate, baseline = _rates(pairs)
    if baseline < NEARLY_ALL:
        return ""
    return (
        f"{metric.name} are {percent(baseline)} of the baseline's {metric.per} and "
        f"{percent(candidate)} of the candidate's. If this counts successes, count failures "
        "instead; if not, the baseline is down and nothing can be compared with it"
    )


def bad_baseline(metric: Metric, pairs: Pairs) -> str:
    """Return a note if many requests of the baseline fail, or an empty string."""
    if not metric.is_failure or not is_rate(metric):
        return ""
    candidate, baseline = _rates(pairs)
    if baseline < BROKEN:
        return ""
    who = "both arms are bad" if candidate >= BROKEN else "the baseline is bad"
    return (
        f"{metric.name}: {who}, {percent(candidate)} of the candidate's {metric.per} "
        f"failed and {percent(baseline)} of the baseline's. PASS only means that the candidate is "
        "no worse"
    )


def _rates(pairs: Pairs) -> tuple[float, float]:
    """Return the events per request of the candidate and of the baseline."""
    rates = []
    for side in (pairs.candidate, pairs.baseline):
        good = pairs.both & np.isfinite(side.samples)
        chances = float(side.samples[good].sum())
        rates.append(float(side.values[good].sum()) / chances if chances > 0 else 0.0)
    return rates[0], rates[1]
