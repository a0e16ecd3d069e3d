"""The newest periods that both arms measured."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from canary.stats.distributions import Floats

Mask = npt.NDArray[np.bool_]

REACH = 12
"""Periods to look back: a pair older than that is not news."""
TOTALS = ("candidate_events", "baseline_events", "candidate_chances", "baseline_chances")
"""Names of the totals that a finding reports for a count."""


def newest(good: Mask, count: int, *columns: Floats) -> tuple[Mask, list[Floats]]:
    """Return which rows have ``count`` pairs among their latest periods, and these pairs.

    ``good`` and ``columns`` are ``[runs, periods]``; the pairs are ``[runs, count]``, oldest first.
    """
    start = max(good.shape[1] - REACH, 0)
    there = good[:, start:]
    order = np.argsort(there, axis=1, kind="stable")[:, -count:]
    picked = [np.take_along_axis(column[:, start:], order, axis=1) for column in columns]
    return there.sum(axis=1) >= count, picked
