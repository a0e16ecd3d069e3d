"""The judged periods of a recording: after the warm-up, in a step, within the longest run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from canary.model import Recording
from canary.policy import Policy


def last_time(recording: Recording) -> int:
    """Return the end of the data."""
    ends = [series.times[-1] + recording.period for series in recording.series if series.times]
    return max([*ends, *recording.looks], default=0)


def judged_times(policy: Policy, recording: Recording, until: int) -> tuple[int, ...]:
    """Return the starts of the periods after the warm-up that had ended by ``until``."""
    if not recording.steps:
        return ()
    period = recording.period
    warm = recording.steps[0].start + policy.warmup
    first = -(-warm // period) * period
    last = min(until, first + policy.periods * period)
    return tuple(range(first, last - period + 1, period))


def times_since_start(recording: Recording, judged: tuple[int, ...]) -> tuple[int, ...]:
    """Return all periods of the run up to the last of ``judged``: a crash in the warm-up counts."""
    if not recording.steps or not judged:
        return judged
    first = -(-recording.steps[0].start // recording.period) * recording.period
    return tuple(range(first, judged[-1] + 1, recording.period))


def step_of(recording: Recording, times: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the step in force over each whole period, -1 where a weight changed within it."""
    found = np.full(len(times), -1, dtype=np.intp)
    for index, step in enumerate(recording.steps):
        found[times >= step.start] = index
    for step in recording.steps:
        found[(times < step.start) & (step.start < times + recording.period)] = -1
    return found
