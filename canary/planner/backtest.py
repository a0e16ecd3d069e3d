"""What past canaries teach: the noise of their environment, and what another policy would say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from canary.judge import judge
from canary.judge.learning import learn
from canary.judge.models import Arms, arms_of
from canary.judge.pairs import judged_times, pairs_of
from canary.model import Judgement, Recording, Verdict
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats

FEWEST = 8
"""Windows below which nothing can be learned that is worth believing."""


def calibrate(policy: Policy, recordings: Sequence[Recording]) -> dict[str, dict[str, float]]:
    """Learn the noise of each metric from recordings in which both arms were equally good.

    Rehearsals are such recordings; so are canaries that passed and stayed. A metric that fewer than
    ``FEWEST`` recordings measured is left out, and is judged by the cautious defaults.
    """
    learned = {}
    for metric in policy.metrics:
        arms = _stacked(policy, metric, recordings)
        if arms is not None:
            learned[metric.name] = learn(policy, metric.name, arms)
    return learned


def _stacked(policy: Policy, metric: Metric, recordings: Sequence[Recording]) -> Arms | None:
    rows = [
        arms_of(metric, pairs_of(metric, one, judged_times(policy, one, 2**62)))
        for one in recordings
    ]
    rows = [row for row in rows if np.isfinite(row.candidate).sum() >= FEWEST / 2]
    if len(rows) < FEWEST:
        return None
    length = max(row.candidate.shape[1] for row in rows)

    def column(name: str) -> Floats:
        return np.concatenate([_padded(getattr(row, name), length) for row in rows])

    return Arms(
        column("candidate"),
        column("baseline"),
        column("candidate_chances"),
        column("baseline_chances"),
        column("sent"),
        np.array([[float(np.median(row.spread))] for row in rows]),
    )


def _padded(row: Floats, length: int) -> Floats:
    return np.pad(row, ((0, 0), (0, length - row.shape[1])), constant_values=np.nan)


@dataclass(frozen=True, slots=True)
class Backtest:
    """What one recording would have ended with under a policy."""

    environment: str
    candidate: str
    judgement: Judgement
    seconds: int


def backtest(policy: Policy, recordings: Sequence[Recording]) -> tuple[Backtest, ...]:
    """Judge every recording look by look, and stop at the first FAIL or PASS, as a run does."""
    return tuple(_replayed(policy, recording) for recording in recordings)


def _replayed(policy: Policy, recording: Recording) -> Backtest:
    judgement = judge(policy, recording, recording.looks[-1] if recording.looks else None)
    for look in recording.looks:
        found = judge(policy, recording, look)
        if found.verdict is not Verdict.INCONCLUSIVE:
            judgement = found
            break
    start = recording.steps[0].start if recording.steps else judgement.at
    return Backtest(
        recording.environment, recording.candidate.name, judgement, max(judgement.at - start, 0)
    )
