"""One cell of the scoreboard: a scenario, a length and a harm, with counts for every rule."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from canary.judge.batch import Trace
from tests.bench.verdict import ours, world_a, world_b
from tests.bench.verdict.comparators import first
from tests.bench.verdict.readings import (
    FIRST_TEST_SEED,
    METRICS,
    NONE,
    Canaries,
    Harm,
    Ints,
    policy,
)

OURS = "cart-canary"
BATCH, SMALL_BATCH = 500, 100
WINDOWS = 200
"""Number of A/A windows from which the judge learns an environment, anew for every batch."""


def simulate(scenario: str, harm: Harm, runs: int, periods: int, seed: int) -> Canaries:
    """Return canaries of a scenario of either world."""
    if scenario in world_a.SCENARIOS:
        return world_a.simulate(world_a.SCENARIOS[scenario], harm, runs, periods, seed)
    return world_b.simulate(world_b.SCENARIOS[scenario], harm, runs, periods, seed)


TITLES = {
    name: scenario.name
    for scenarios in (world_a.SCENARIOS, world_b.SCENARIOS)
    for name, scenario in scenarios.items()
}


@dataclass(frozen=True, slots=True)
class Count:
    """The number of events, and their median period."""

    hits: int
    runs: int
    median: float | None = None

    @property
    def share(self) -> float:
        return self.hits / self.runs

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Clopper-Pearson interval of the share."""
        found = binomtest(self.hits, self.runs).proportion_ci(0.95, method="exact")
        return float(found.low), float(found.high)


@dataclass(frozen=True, slots=True)
class Cell:
    """The counts of every rule in one cell.

    Attributes:
        passed: our PASSes of all judged metrics (equal arms: of the whole canary), before any FAIL.
        cleared: PASSes of the affected metrics alone, before one of them fails, as with a
            policy that has no other metrics.
        within: our FAILs within the allowed time after the onset of late harm.
    """

    scenario: str
    periods: int
    harm: str
    alarms: dict[str, Count]
    by_metric: dict[str, Count]
    passed: Count
    cleared: Count
    without_memory: dict[str, Count]
    within: Count | None = None


class Change(Protocol):
    """The judge with a part removed."""

    def seen(self, canaries: Canaries) -> Canaries: ...

    def known(self, calibration: ours.Calibration) -> ours.Calibration: ...


def seed(*words: object) -> int:
    """Return a test seed that is unique to these words."""
    return FIRST_TEST_SEED + zlib.crc32("/".join(map(str, words)).encode())


def batch_of(runs: int) -> int:
    """Return how many canaries share a rehearsal. Every cell uses several rehearsals."""
    return BATCH if runs >= BATCH else SMALL_BATCH


def drawn(
    scenario: str, periods: int, harm: Harm, runs: int, size: int
) -> Iterator[tuple[tuple[str, int, str, int], Canaries]]:
    """Yield the first ``runs`` canaries of a cell in batches of ``size``, each with its key."""
    for start in range(0, runs, size):
        key = (scenario, periods, harm.name, start)
        yield key, simulate(scenario, harm, min(size, runs - start), periods, seed("judge", *key))


def batches(
    scenario: str,
    periods: int,
    harm: Harm,
    runs: int,
    change: Change | None = None,
    names: tuple[str, ...] = METRICS,
) -> Iterator[tuple[Canaries, Trace]]:
    """Yield canaries with our judge's trace. Each batch learns from its own A/A windows.

    ``change`` removes a part of the judge by changing its input or its calibration. Only ``names``
    are judged.
    """
    asked = policy(periods)
    for key, canaries in drawn(scenario, periods, harm, runs, batch_of(runs)):
        equal = simulate(scenario, NONE, WINDOWS, periods, seed("learn", *key))
        if change is not None:
            equal, canaries = change.seen(equal), change.seen(canaries)
        known = ours.calibrate(asked, equal, names)
        yield canaries, ours.trace(asked, canaries, change.known(known) if change else known, names)


def power(
    scenario: str, periods: int, harm: Harm, runs: int, *, change: Change | None = None
) -> Cell:
    """Count alarms and PASSes on the metrics that a harm affects; a PASS of them is wrong.

    Without harm every alarm is false, and a PASS is one of the whole canary. With harm, only the
    affected metrics are judged. In a whole canary the others must pass too, so the count here is at
    least the number of wrong PASSes of whole canaries.
    """
    found: Found = {}
    for _, trace in batches(scenario, periods, harm, runs, change, harm.affects):
        collect(found, _ours(trace, harm.affects))
        found.setdefault("PASS", []).append(_passed(trace))
        found.setdefault("CLEARED", []).append(_cleared(trace, periods, harm.affects))
    return cell_of(scenario, periods, harm, found)


Found = dict[str, list[Ints]]


def _ours(trace: Trace, names: tuple[str, ...]) -> dict[tuple[str, str], Ints]:
    firsts = trace.metric_fail
    return {(OURS, name): firsts[name] for name in names}


def _passed(trace: Trace) -> Ints:
    verdicts: NDArray[np.str_] = trace.verdicts()
    return np.where(verdicts == "PASS", trace.first_pass, 0)


def _cleared(trace: Trace, periods: int, names: tuple[str, ...]) -> Ints:
    """Return the first look at which all of ``names`` pass, unless one of them failed earlier."""
    served = np.array(trace.looks) * 60 >= policy(periods).minimum
    passing = np.all([trace.towards_pass[name] >= 1 for name in names], axis=0) & served
    failing = np.any([trace.towards_fail[name] >= 1 for name in names], axis=0)
    clear = passing & (np.cumsum(failing, axis=1) == 0)
    return first(clear, trace.looks)


def collect(found: Found, firsts: Mapping[tuple[str, str], Ints]) -> None:
    for (rule, name), periods in firsts.items():
        found.setdefault(f"{rule}|{name}", []).append(periods)


def cell_of(scenario: str, periods: int, harm: Harm, found: Found) -> Cell:
    """Count the results. The other rules are not asked for a PASS."""
    never = [np.zeros(0, dtype=np.int64)]
    joined = {key: np.concatenate(parts) for key, parts in found.items() if "|" in key}
    rules = list(dict.fromkeys(key.split("|")[0] for key in joined))
    by_rule = {
        rule: {key.split("|")[1]: v for key, v in joined.items() if key.startswith(f"{rule}|")}
        for rule in rules
    }
    calm = {
        rule: {name: v for name, v in firsts.items() if name != "memory"}
        for rule, firsts in by_rule.items()
    }
    return Cell(
        scenario,
        periods,
        harm.name,
        {rule: _count(earliest(firsts)) for rule, firsts in by_rule.items()},
        {key: _count(first) for key, first in joined.items()},
        _count(np.concatenate(found.get("PASS", never))),
        _count(np.concatenate(found.get("CLEARED", never))),
        {rule: _count(earliest(firsts)) for rule, firsts in calm.items() if firsts},
        _within(earliest(by_rule[OURS]), periods, harm) if harm.onset and OURS in by_rule else None,
    )


def _within(found: Ints, periods: int, harm: Harm) -> Count:
    start = harm.onset * periods
    return _count(np.where((found > start) & (found <= start + harm.within), found, 0))


def earliest(firsts: Mapping[str, Ints]) -> Ints:
    """Return the first alarm of any metric, 0 if there is none."""
    never = np.iinfo(np.int64).max
    least = np.min([np.where(first > 0, first, never) for first in firsts.values()], axis=0)
    return np.where(least == never, 0, least)


def _count(first: Ints) -> Count:
    hits = first[first > 0]
    return Count(len(hits), len(first), float(np.median(hits)) if len(hits) else None)
