"""The candidate beside the baseline: the pairs of periods there should be, and those there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from canary.evidence.pooling import GroupSeries
from canary.evidence.table import Table
from canary.model import Arm, Recording, Step
from canary.policy import Metric
from canary.stats.distributions import Floats
from canary.stats.paired import Mask


@dataclass(frozen=True, slots=True)
class Pairs:
    """Both arms of one metric over the judged periods.

    Attributes:
        expected: periods that should hold a pair.
        sent: the candidate's share of both arms' traffic: as the proxy counted it, else as meant.
    """

    candidate: GroupSeries
    baseline: GroupSeries
    expected: Mask
    sent: Floats

    @property
    def both(self) -> Mask:
        """Periods in which both arms hold a value."""
        fine: Mask = (
            np.isfinite(self.candidate.values) & np.isfinite(self.baseline.values) & self.expected
        )
        return fine


def pairs_of(metric: Metric, table: Table, times: Sequence[int]) -> Pairs:
    """Compare ``metric`` over ``times``; periods in which a weight changed hold no pair."""
    columns = table.columns(times)
    step, steps = table.step[columns], table.recording.steps
    in_step = step >= 0
    equal = np.array([one.equal_footing for one in steps] + [False])
    shares = np.array([_sent_share(table.recording, at) for at in range(len(steps))] + [np.nan])
    return Pairs(
        candidate=table.series(metric, Arm.CANDIDATE, columns),
        baseline=table.series(metric, Arm.BASELINE, columns),
        expected=in_step & (equal[step] | (not metric.needs_equal_footing)),
        sent=np.where(in_step, shares[step], np.nan),
    )


def meant_share(step: Step) -> float | None:
    """Return the candidate's share of both arms' traffic, as it was meant."""
    total = step.candidate + step.baseline
    return step.candidate / total if total > 0 else None


def counted_share(recording: Recording, index: int) -> float | None:
    """Return the candidate's share of what the proxy itself counted in a step."""
    sent = {arm: count for step, arm, count in recording.split if step == index}
    total = sent.get(Arm.CANDIDATE, 0) + sent.get(Arm.BASELINE, 0)
    return sent.get(Arm.CANDIDATE, 0) / total if total else None


def _sent_share(recording: Recording, index: int) -> float:
    """Return the candidate's share of a step: as counted, else as meant; NaN if it had all."""
    share = counted_share(recording, index)
    share = meant_share(recording.steps[index]) if share is None else share
    return share if share is not None and 0 < share < 1 else np.nan
