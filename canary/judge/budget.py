"""The error budget: how many extra events the candidate may cause before it is stopped.

Only events of the candidate's own requests count, so a small share of traffic or a short time uses
little of the budget.
"""

from __future__ import annotations

import math

import numpy as np

from canary.evidence.pairs import Pairs
from canary.formatting import number
from canary.judge.findings import limit_finding
from canary.judge.wording import UNDECIDED
from canary.model import Finding, Verdict
from canary.policy import Metric

SURELY = 3.0
"""The excess must be this many standard errors above zero, so that noise uses no budget."""


def budget_finding(metric: Metric, budget: float, pairs: Pairs) -> Finding:
    """Compare the candidate's extra events with the budget."""
    seen = _excess(pairs)
    allowed = f"Allowed: at most {number(budget)}."
    if seen is None:
        verdict, words = Verdict.INCONCLUSIVE, f"too few values yet. {allowed} {UNDECIDED}"
    else:
        excess, error = seen
        spent = excess >= budget and excess >= SURELY * error
        verdict = Verdict.FAIL if spent else Verdict.PASS
        extra = number(max(excess, 0.0))
        words = f"{extra} more on the candidate than at the baseline's rate. {allowed} {verdict}"
    value = None if seen is None else seen[0]
    return limit_finding(metric, "budget", pairs, (verdict, words), (value, budget))


def _excess(pairs: Pairs) -> tuple[float, float] | None:
    """Return the events in excess of the baseline's rate, and the standard error of that."""
    sides = (pairs.candidate, pairs.baseline)
    columns = [column for side in sides for column in (side.values, side.samples)]
    whole = np.isfinite(columns).all(axis=0)
    events, requests, usual, chances = (float(column[whole].sum()) for column in columns)
    if requests <= 0 or chances <= 0:
        return None
    ratio = requests / chances
    # One event is added to each arm. Otherwise an arm without events would have no error.
    error = math.sqrt(events + 1 + ratio**2 * (usual + 1))
    return events - ratio * usual, error
