"""The hosts that cause the harm of an arm that has failed, if there are few of them."""

from __future__ import annotations

import math

import numpy as np

from canary.judge.host_case import Case, effects, events_ratio, totals
from canary.judge.hosts import TIMES
from canary.stats.counts import poisson_lower, poisson_upper
from canary.stats.distributions import Floats
from canary.stats.paired import Mask

HALF = 0.5
"""A host is close to the baseline below this share of the size that names a host."""
RARE = 0.01
"""The chance that any host of an arm has a count by which it would be named wrongly."""


def carriers(case: Case, periods: slice) -> Mask:
    """Return the hosts that cause the harm of the arm, if the others are close to the baseline.

    Few events vary much. So a host counts only if chance hardly explains its count, and the others
    are close to the baseline if all of them together are.
    """
    effect = effects(case, periods)
    gate = math.log(TIMES[case.metric.kind])
    far: Mask = effect >= gate
    if case.metric.kind != "count":
        return far & bool((far | (effect < gate * HALF)).all())
    columns = totals(case.hosts, periods)
    far &= _beyond_chance(columns, case.rule.sign)
    return far & (_rest(columns, far, case.rule.sign) < gate * HALF)


def _beyond_chance(columns: tuple[Floats, Floats, Floats, Floats], sign: float) -> Mask:
    """Return which hosts' counts differ harmfully from the baseline's rate, beyond chance."""
    g, b, n_g, n_b = columns
    due = n_g * b / np.maximum(n_b, 1e-9)
    level = RARE / max(len(g), 1)
    found: Mask = poisson_lower(g, level) > due if sign > 0 else poisson_upper(g, level) < due
    return found & (n_b > 0)


def _rest(columns: tuple[Floats, Floats, Floats, Floats], some: Mask, sign: float) -> float:
    """Return the difference between all hosts but ``some`` and the baseline."""
    g, b, n_g, n_b = columns
    if some.all():
        return 0.0
    widest = int(n_b.argmax())
    rest = (np.array(one[~some].sum()) for one in (g, n_g))
    base = (np.array(one[widest]) for one in (b, n_b))
    (events, chances), (usual, usual_chances) = rest, base
    return sign * float(events_ratio(events, usual, chances, usual_chances))
