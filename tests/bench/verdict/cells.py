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
"""A/A windows that the judge learns an environment from; every batch learns anew."""


def simulate(scenario: str, harm: Harm, runs: int, periods: int, seed: int) -> Canaries:
    """Canaries of a scenario of either world."""
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
    """How often something happened, and the median period of when it did."""

    hits: int
    runs: int
    median: float | None = None

    @property
    def share(self) -> float:
        return self.hits / self.runs

    @property
    def interval(self) -> tuple[float, float]:
        """Clopper-Pearson, 95 %."""
        found = binomtest(self.hits, self.runs).proportion_ci(0.95, method="exact")
        return float(found.low), float(found.high)


@dataclass(frozen=True, slots=True)
class Cell:
    """The counts of every rule in one cell.

    Attributes:
        passed: our PASS of all judged metrics (equal arms: of the whole canary), before any FAIL.
        cleared: the affected metrics alone pass, before one of them fails: what a policy with
            nothing else in it would say.
        within: our FAILs after a late harm's onset, and in the time set for it.
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
    """A test seed that only these words give."""
    return FIRST_TEST_SEED + zlib.crc32("/".join(map(str, words)).encode())


def batch_of(runs: int) -> int:
    """Canaries that learn from the same windows: no cell should rest on one rehearsal's luck."""
    return BATCH if runs >= BATCH else SMALL_BATCH


def drawn(
    scenario: str, periods: int, harm: Harm, runs: int, size: int
) -> Iterator[tuple[tuple[str, int, str, int], Canaries]]:
    """The first ``runs`` canaries of a cell in batches of ``size``, each with its key."""
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
    """Canaries with our judge's trace; each batch has its own A/A windows to learn from.

    ``change`` takes a part of the judge away, by changing what it sees or knows. Only ``names`` are
    judged.
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
    """A real harm: alarms on the metrics it affects count, and a PASS of those metrics is wrong.

    Where there is none every alarm is false, and a PASS is that of the whole canary. Only these
    metrics are judged: in a canary the others must pass too, so what is counted here is never less
    than the wrong PASSes of a whole canary.
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
    """The first look at which all of ``names`` pass, unless one of them failed before it."""
    served = np.array(trace.looks) * 60 >= policy(periods).minimum
    passing = np.all([trace.towards_pass[name] >= 1 for name in names], axis=0) & served
    failing = np.any([trace.towards_fail[name] >= 1 for name in names], axis=0)
    clear = passing & (np.cumsum(failing, axis=1) == 0)
    return first(clear, trace.looks)


def collect(found: Found, firsts: Mapping[tuple[str, str], Ints]) -> None:
    for (rule, name), periods in firsts.items():
        found.setdefault(f"{rule}|{name}", []).append(periods)


def cell_of(scenario: str, periods: int, harm: Harm, found: Found) -> Cell:
    """Count what was found; of the other rules nobody asks for a PASS."""
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
    """The first alarm of any metric, 0 if none."""
    never = np.iinfo(np.int64).max
    least = np.min([np.where(first > 0, first, never) for first in firsts.values()], axis=0)
    return np.where(least == never, 0, least)


def _count(first: Ints) -> Count:
    hits = first[first > 0]
    return Count(len(hits), len(first), float(np.median(hits)) if len(hits) else None)
