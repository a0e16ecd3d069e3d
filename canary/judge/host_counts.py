"""The error of one host's counts of events: how far chance alone may move them."""

from __future__ import annotations

import numpy as np

from canary.stats.distributions import Floats
from canary.stats.paired import Mask, Noise, inflation

SCATTER, SCATTER_HOSTS, PLAIN_COUNTS = 12, 4, 4.0
"""Periods from which a host's own counts show how much they scatter, if there are at most so many
hosts: one of many has too few events. The last one is the degrees of freedom that independent
events count for beside that."""
EXPECTED = 0.2
"""Noise that single hosts' counts may have in a period, whatever an arm has."""


def count_error(
    totals: tuple[Floats, Floats, Floats, Floats], noise: Noise, columns: list[Floats], fine: Mask
) -> Floats:
    """Return the error of the log of a ratio of rates.

    The events vary as the noise of a period says, or as they were seen to scatter, if that is more.
    """
    g, b, n_g, n_b = totals
    periods = fine.shape[1]
    share = n_g / (n_g + n_b)
    due = (g + b) * share + 0.5, (g + b) * (1 - share) + 0.5
    own = max(noise.tau, EXPECTED) ** 2 * inflation(noise.phi, periods) / periods
    chance = 1 / due[0] + 1 / due[1]
    error: Floats = np.sqrt(
        np.maximum(chance + own, chance * _scatter(columns, fine)) + noise.host**2
    )
    return error


def _scatter(columns: list[Floats], fine: Mask) -> Floats:
    """Return how many times the variance of independent events the counts have, at least 1.

    Errors in batches scatter more. The measure is the host's share of the events of both sides, so
    what hurts both is none.
    """
    periods = fine.shape[1]
    if periods < SCATTER or len(fine) > SCATTER_HOSTS:
        return np.ones(len(fine))
    g, b, n_g, n_b = columns
    whole = [
        one.sum(axis=1, keepdims=True) + half
        for one, half in zip(columns, (0.5, 0.5, 0, 0), strict=True)
    ]
    odds = whole[0] * np.maximum(whole[3], 1e-9) / (whole[1] * np.maximum(whole[2], 1e-9))
    share = odds * n_g / np.maximum(odds * n_g + n_b, 1e-9)
    due = (g + b) * share
    seen = np.where(fine & (due > 0), (g - due) ** 2 / np.maximum(due * (1 - share), 1e-9), 0.0)
    freedom = np.maximum(fine.sum(axis=1) - 1, 0)
    times = (PLAIN_COUNTS + seen.sum(axis=1)) / (PLAIN_COUNTS + freedom)
    found: Floats = np.maximum(times, 1.0)
    return found
