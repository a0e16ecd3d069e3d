"""The newest periods that both arms measured, and the error of their mean."""

from __future__ import annotations

import numpy as np

from canary.stats.distributions import Floats, Numbers
from canary.stats.paired import Mask, Noise, inflation

Columns = dict[str, Floats]

REACH = 12
"""The number of periods to look back; an older pair does not count as new."""
TOTALS = ("candidate_events", "baseline_events", "candidate_chances", "baseline_chances")
"""Names of the totals that a finding reports for a count."""


def newest(
    good: Mask, count: int, *columns: Floats, reach: int = REACH
) -> tuple[Mask, list[Floats]]:
    """Return which rows have ``count`` pairs among their latest periods, and these pairs.

    ``good`` and ``columns`` are ``[runs, periods]``; the pairs are ``[runs, count]``, oldest first.
    """
    start = max(good.shape[1] - reach, 0)
    there = good[:, start:]
    order = np.argsort(there, axis=1, kind="stable")[:, -count:]
    rows = np.arange(len(good))[:, None]
    picked = [column[:, start:][rows, order] for column in columns]
    return there.sum(axis=1) >= count, picked


def mean_error(known: Floats, tau: Numbers, noise: Noise, count: int) -> Floats:
    """Return the error of the mean of ``count`` periods.

    ``known`` is the sampling variance of that mean. ``tau`` is the standard deviation that the
    environment adds to each period.
    """
    added = np.asarray(tau) ** 2 * inflation(noise.phi, count) / count
    error: Floats = np.sqrt(known + added + noise.host**2)
    return error


def reported(
    prefix: str, held: Mask, periods: int, numbers: Columns, before: Columns | None = None
) -> Columns:
    """Return ``periods`` and ``numbers`` of the runs in ``held``, each name with ``prefix``.

    The other runs keep the values of ``before``; without one, they hold NaN.
    """
    named = {f"{prefix}_periods": np.full(len(held), float(periods))}
    named |= {f"{prefix}_{name}": values for name, values in numbers.items()}
    return {
        name: np.where(held, values, before[name] if before else np.nan)
        for name, values in named.items()
    }
