"""The error of one host's counts of events: how far chance alone may change them."""

from __future__ import annotations

import numpy as np

from canary.stats.distributions import Floats
from canary.stats.paired import Mask, Noise, inflation

SCATTER, SCATTER_HOSTS, PLAIN_COUNTS = 12, 4, 4.0
"""The scatter of a host's own counts is used from ``SCATTER`` periods on, and with at most
``SCATTER_HOSTS`` hosts, because one of many has too few events. ``PLAIN_COUNTS`` is the weight, in
degrees of freedom, of the assumption that events are independent."""
EXPECTED = 0.2
"""The least noise assumed for the counts of a single host in a period."""


def count_error(
    totals: tuple[Floats, Floats, Floats, Floats], noise: Noise, columns: list[Floats], fine: Mask
) -> Floats:
    """Return the error of the log of a ratio of rates.

    The variance is that of the period's noise, or that of the observed scatter if it is larger.
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
    """Return the ratio of the counts' variance to that of independent events, at least 1.

    Errors in batches scatter more. The scatter is that of the host's share of the events of both
    sides, so a change on both sides adds nothing.
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
