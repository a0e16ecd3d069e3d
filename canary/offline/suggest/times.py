"""The times and steps of a canary that must end within a given time."""

from __future__ import annotations

import math

import numpy as np

from canary.errors import PolicyError
from canary.formatting import duration
from canary.stats.distributions import Floats

FEWEST = 10
"""Least number of judged periods."""
WARMUP, MINIMUM = 0.1, 1 / 3
"""Shares of the time: for the warm-up, and until the first PASS."""
LONGEST_WARMUP = 300
STEPS = ((0.05, 0.2, 0.5), (0.1, 0.5), (0.2, 0.5), (0.5,))
ENOUGH = 100.0
"""Least number of requests in the first step."""


def times_of(period: int, within: int) -> dict[str, int]:
    """Return the policy's times in seconds, in whole periods.

    Raises:
        PolicyError: the time is too short for a canary.
    """
    warmup = min(max(round(WARMUP * within / period), 1) * period, max(LONGEST_WARMUP, period))
    least = (FEWEST + 1) * period
    if within < max(least, warmup + FEWEST * period):
        raise PolicyError(
            f"--within {duration(within)} holds {within // period} periods of {duration(period)}; "
            f"a canary needs {FEWEST + 1}. Give it more time: --within {written(least)}"
        )
    minimum = math.ceil(MINIMUM * within / period) * period
    return {
        "period": period,
        "warmup": warmup,
        "minimum": max(minimum, warmup + period),
        "maximum": within // period * period,
    }


def steps_of(times: dict[str, int], rate: float | None) -> tuple[float, ...]:
    """Return the smallest steps whose first one gets enough requests at ``rate`` per second."""
    if rate is None:
        return STEPS[1]
    served = times["minimum"] - times["warmup"]
    for steps in STEPS:
        if steps[0] * rate * served / len(steps) >= ENOUGH:
            return steps
    return STEPS[-1]


def rate_of(samples: Floats, period: int) -> float:
    """Return requests per second of all hosts; the rows of ``samples`` are hosts."""
    seen = np.isfinite(samples)
    rows = zip(samples, seen, strict=True)
    return math.fsum(float(row[there].mean()) for row, there in rows if there.any()) / period


def written(seconds: int) -> str:
    """Return a duration as a policy file writes it."""
    for size, unit in ((3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
