"""The error budget: what a candidate may cost its users before it is stopped, however unsure.

The events that the candidate's own requests met are counted, so its weight and the time that it
had are in the sum: weight x time x excess errors.
"""

from __future__ import annotations

import math

import numpy as np

from canary.evidence.pairs import Pairs
from canary.formatting import number
from canary.judge.findings import limit_finding
from canary.model import Finding, Verdict
from canary.policy import Metric

SURELY = 3.0
"""Standard errors above nothing: a budget smaller than the noise is not spent by noise."""


def budget_finding(metric: Metric, budget: float, pairs: Pairs) -> Finding:
    """Hold what the candidate cost, beyond the baseline's rate, against its budget."""
    seen = _excess(pairs)
    allowed = f"at most {number(budget)} may be spent"
    if seen is None:
        verdict, words = Verdict.INCONCLUSIVE, f"too few values yet, {allowed}"
    else:
        excess, error = seen
        spent = excess >= budget and excess >= SURELY * error
        verdict = Verdict.FAIL if spent else Verdict.PASS
        cost = f"the candidate has cost {number(max(excess, 0.0))} more than the baseline's rate"
        words = f"{cost} explains, {allowed}: {verdict}"
    value = None if seen is None else seen[0]
    return limit_finding(metric, "budget", pairs, (verdict, words), (value, budget))


def _excess(pairs: Pairs) -> tuple[float, float] | None:
    """Return the events beyond the baseline's rate, and the standard error of that."""
    sides = (pairs.candidate, pairs.baseline)
    columns = [column for side in sides for column in (side.values, side.samples)]
    whole = np.isfinite(columns).all(axis=0)
    events, requests, usual, chances = (float(column[whole].sum()) for column in columns)
    if requests <= 0 or chances <= 0:
        return None
    ratio = requests / chances
    # One event more in each arm: nothing seen is not nothing known.
    error = math.sqrt(events + 1 + ratio**2 * (usual + 1))
    return events - ratio * usual, error
