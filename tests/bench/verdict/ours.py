"""Our judge on the canaries of the worlds: the same code that judges one recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from canary.judge.batch import Arms, Trace, judge_many, learn
from canary.learned import Learned
from canary.policy import Policy
from tests.bench.verdict.readings import METRICS, Canaries, Floats, Readings

Calibration = Mapping[str, Learned]


def arms(canaries: Canaries, names: Sequence[str] = METRICS) -> dict[str, Arms]:
    """Return the readings of the worlds as input of the judge."""
    return {name: _arms(canaries.metrics[name], canaries.share) for name in names}


def calibrate(policy: Policy, equal: Canaries, names: Sequence[str] = METRICS) -> Calibration:
    """Return the calibration from A/A windows of the same environment."""
    found = {name: learn(policy, name, one) for name, one in arms(equal, names).items()}
    return {name: learned for name, learned in found.items() if learned is not None}


def trace(
    policy: Policy, canaries: Canaries, known: Calibration, names: Sequence[str] = METRICS
) -> Trace:
    """Judge the metrics ``names`` at every look of every canary."""
    return judge_many(policy, arms(canaries, names), known)


def _arms(readings: Readings, share: float) -> Arms:
    one, other = readings.candidate_spread, readings.baseline_spread
    chances = readings.candidate_samples, readings.baseline_samples
    if one is None or other is None:
        return Arms(readings.candidate, readings.baseline, *chances, sent=share)
    spread = _typical(np.concatenate((one, other), axis=1))
    return Arms(readings.candidate, readings.baseline, *chances, sent=share, spread=spread)


def _typical(spread: Floats) -> Floats:
    """Return each canary's median spread, as for a single recording."""
    typical: Floats = np.nanmedian(spread, axis=1, keepdims=True)
    return typical
