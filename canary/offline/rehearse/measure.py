"""A/A tests: compare equal instances, learn their noise, and count false alarms.

Two instances of one colour run the same release, so every FAIL between them is false. Each half of
the time is judged with the noise learned from the other half, so that no window is judged by
itself. The final calibration is learned from all windows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from canary.evidence.fingerprint import fingerprint_of
from canary.evidence.pairs import pairs_of
from canary.evidence.periods import judged_times
from canary.evidence.table import Table, table_of
from canary.formatting import number, percent
from canary.judge.batch import judge_many
from canary.judge.calibration import learn
from canary.judge.comparison import Arms, arms_of
from canary.judge.shrinkage import Worth
from canary.learned import Calibration, Learned
from canary.model import Recording, Verdict
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats

CONFIDENCE = 0.95
STEPS = 3
"""Steps of the work: each half, and all windows."""

Told = Callable[[], object]
"""Called after each step of the work."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The rate of false alarms, and the calibration.

    Attributes:
        cold, calibrated: false FAILs without and with calibration; passed: PASSes with it.
        low, high: 95 % interval of the rate of false FAILs with calibration.
        worth: the number of independent windows, and of independent pairs of hosts.
        unlearned: metrics whose noise could not be learned.
    """

    windows: int
    cold: int
    calibrated: int
    passed: int
    low: float
    high: float
    worth: Worth
    unlearned: tuple[str, ...]
    calibration: Calibration

    @property
    def sentence(self) -> str:
        """The false alarms, and the number of independent windows, as a sentence."""
        share = f"{self.calibrated / self.windows:.1%}"
        return (
            f"{self.windows} windows of equal instances: {self.calibrated} false alarms with "
            f"calibration ({share}, 95 % interval {self.low:.1%} to {self.high:.1%}), "
            f"{self.cold} without; {self.passed} passed.\n{self._worth}"
        )

    @property
    def _worth(self) -> str:
        trust, hosts = percent(self.worth.trust), percent(self.worth.host_trust)
        words = (
            f"It is worth {number(self.worth.windows)} independent windows: what was measured "
            f"counts {trust}, the defaults count the rest. The difference between hosts was "
            f"measured on {number(self.worth.hosts + 1)} hosts and counts {hosts}"
        )
        if not self.unlearned:
            return words
        names = ", ".join(self.unlearned)
        return f"{words}.\nNot learned, because values are few or rarely differ: {names}"


def work_of(policy: Policy) -> int:
    """Return the number of steps that ``rehearse`` reports."""
    return STEPS * (len(policy.metrics) + 1)


def rehearse(
    policy: Policy,
    recordings: Sequence[Recording],
    source: str,
    worth: Worth,
    tell: Told = lambda: None,
) -> Rehearsal:
    """Judge each window with noise from the other half; ``source`` is the kind of their source."""
    tables = [table_of(policy, recording) for recording in recordings]
    middle = len(tables) // 2
    halves = tables[:middle], tables[middle:]
    half = Worth(worth.windows / 2, worth.hosts)
    crossed: list[Verdict] = []
    for judged, taught in (halves, halves[::-1]):
        crossed += _verdicts(policy, judged, learned(policy, taught, half, tell), tell)
    alarms = crossed.count(Verdict.FAIL)
    interval = stats.binomtest(alarms, len(crossed)).proportion_ci(CONFIDENCE, method="exact")
    known = learned(policy, tables, worth, tell)
    return Rehearsal(
        windows=len(crossed),
        cold=_verdicts(policy, tables, {}, tell).count(Verdict.FAIL),
        calibrated=alarms,
        passed=crossed.count(Verdict.PASS),
        low=float(interval.low),
        high=float(interval.high),
        worth=worth,
        unlearned=tuple(m.name for m in policy.metrics if m.name not in known),
        calibration=Calibration(known, fingerprint_of(policy, source, _hosts(recordings))),
    )


def _hosts(recordings: Sequence[Recording]) -> int:
    releases = (release for one in recordings for release in (one.baseline, one.candidate))
    return len({host for release in releases for host in release.instances})


def _verdicts(
    policy: Policy, tables: Sequence[Table], calibration: Mapping[str, Learned], tell: Told
) -> list[Verdict]:
    """Return the verdict of each window, judged at every period."""
    arms = {
        metric.name: found
        for metric in policy.metrics
        if (found := stacked(policy, metric, tables)) is not None
    }
    longest = max(one.candidate.shape[1] for one in arms.values())
    trace = judge_many(policy, arms, calibration, range(1, longest + 1))
    tell()
    return [Verdict(str(word)) for word in trace.verdicts()]


def learned(
    policy: Policy, tables: Sequence[Table], worth: Worth, tell: Told = lambda: None
) -> dict[str, Learned]:
    """Return the noise of each metric that can be learned from windows of equal instances."""
    found = {}
    for metric in policy.metrics:
        arms = stacked(policy, metric, tables)
        known = None if arms is None else learn(policy, metric.name, arms, worth)
        if known is not None:
            found[metric.name] = known
        tell()
    return found


def stacked(policy: Policy, metric: Metric, tables: Sequence[Table]) -> Arms | None:
    """Return the windows as rows; None for a metric without values of both arms."""
    rows = [
        arms_of(metric, pairs_of(metric, one, _judged(policy, one.recording))) for one in tables
    ]
    if not any(np.isfinite(row.candidate).any() for row in rows):
        return None
    return Arms(**{field.name: _rows(rows, field.name) for field in dataclasses.fields(Arms)})


def _judged(policy: Policy, recording: Recording) -> tuple[int, ...]:
    return judged_times(policy, recording, recording.looks[-1])


def _rows(runs: Sequence[Arms], part: str) -> Floats:
    """Return one field of every run as rows, or as a column if it has one value per run."""
    return np.concatenate([np.atleast_2d(getattr(run, part)) for run in runs])
