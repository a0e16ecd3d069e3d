"""Tests of counts pooled over periods, corrected for overdispersion."""

from __future__ import annotations

import numpy as np

from canary.stats.counts import conditional_p
from canary.stats.distributions import Floats, upper_tail_z
from canary.stats.paired import BURST, Mask, rolling_sum


def environment_dispersion(total: Floats, share: Floats, tau: float) -> Floats:
    """Return the dispersion of pooled counts for noise ``tau`` per period."""
    events = total.sum(axis=1)
    extra = (tau**2 * total**2 * share * (1 - share)).sum(axis=1)
    phi: Floats = 1.0 + extra / np.maximum(events, 1.0)
    return phi


def pooled_z(harmed: Floats, total: Floats, share: Floats, phi: Floats) -> Floats:
    """Return the z of the exact conditional test on pooled counts divided by ``phi``."""
    events = total.sum(axis=1)
    pooled = (total * share).sum(axis=1) / np.maximum(events, 1e-9)
    pooled = np.where(events > 0, pooled, 0.5)
    return upper_tail_z(conditional_p(harmed.sum(axis=1) / phi, events / phi, pooled))


def pooled_ratio(harmed: Floats, total: Floats, share: Floats) -> Floats:
    """Return the log of the rate ratio of pooled counts."""
    due = np.maximum((total * share).sum(axis=1), 1e-9)
    other = np.maximum((total * (1 - share)).sum(axis=1), 1e-9)
    seen = harmed.sum(axis=1)
    ratio: Floats = np.log((seen + 0.5) / due / ((total.sum(axis=1) - seen + 0.5) / other))
    return ratio


def without_worst(harmed: Floats, due: Floats, good: Mask) -> Floats:
    """Return 1 for periods to keep, 0 for the ``BURST`` neighbours with the largest excess."""
    excess = np.where(good, harmed - due, 0.0)
    keep = np.ones_like(excess)
    if excess.shape[1] > BURST:
        start = rolling_sum(excess, BURST).argmax(axis=1)
        columns = np.arange(excess.shape[1])[None, :]
        keep[(columns >= start[:, None]) & (columns < start[:, None] + BURST)] = 0.0
    return keep


def newest_events(
    columns: tuple[Floats, Floats, Floats, Floats], closed: Floats, k: int, blocks: int
) -> dict[str, Floats]:
    """Return the periods that the newest blocks of one run span, and their events.

    ``columns`` are the events of both arms and their chances, ``closed`` is the period that
    completed each block.
    """
    closed = closed[closed < k]
    start = int(closed[-blocks - 1]) + 1 if len(closed) > blocks else 0
    names = "candidate_events", "baseline_events", "candidate_chances", "baseline_chances"
    sums = {
        f"late_{name}": np.array([np.nansum(one[0, start:k])])
        for name, one in zip(names, columns, strict=True)
    }
    return {"late_periods": np.array([float(k - start)]), **sums}
