"""`python -m tests.bench.judge`: the time of a verdict, beside Kayenta's algorithm in Python.

Both judge the same pairs in the same process, one after the other. Each uses one core.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import click
import numpy as np

from canary.judge import judge
from canary.judge.batch import judge_many
from canary.kayenta.rules import Rules, classify
from canary.model import Arm, Recording, Release, Series, Step
from canary.policy import Policy
from tests.bench.verdict import ours, world_a
from tests.bench.verdict.comparators import values
from tests.bench.verdict.readings import METRICS, NONE, Canaries, policy

PAIRS, PERIODS = 10_000, 60
RUNS = PAIRS // len(METRICS)
KAYENTA_RUNS = 30
LIMIT_SECONDS, LIMIT_FACTOR, LIMIT_GROWTH = 5.0, 10.0, 1.5
START = 1_200


@dataclass(frozen=True, slots=True)
class Measure:
    """A measurement as a sentence, and whether it meets its goal, if it has one."""

    sentence: str
    fine: bool = True


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the smallest CPU time of some repetitions."""
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


def canaries(runs: int, periods: int) -> Canaries:
    return world_a.simulate(world_a.SCENARIOS["S1"], NONE, runs, periods, seed=1)


def one_look(runs: int, periods: int) -> float:
    """Return the seconds for one look at all periods of all metrics of ``runs`` canaries."""
    arms = ours.arms(canaries(runs, periods))
    asked = policy(periods)
    judge_many(asked, arms, {}, looks=(periods,))  # the bounds are computed once per policy
    return seconds(lambda: judge_many(asked, arms, {}, looks=(periods,)))


def kayenta(found: Canaries) -> float:
    """Return the seconds that Kayenta's rule takes per metric on the same data."""
    samples = [values(found, name) for name in METRICS]
    pairs = [
        (x[row][np.isfinite(x[row])], y[row][np.isfinite(y[row])])
        for x, y in samples
        for row in range(found.runs)
    ]
    return seconds(lambda: [classify(Rules(), x, y) for x, y in pairs], repeats=1) / len(pairs)


def recording(found: Canaries, run: int = 0) -> Recording:
    """Return one canary as `canary run` records it."""
    series = []
    for name, one in found.metrics.items():
        for arm, readings, samples in (
            (Arm.CANDIDATE, one.candidate, one.candidate_samples),
            (Arm.BASELINE, one.baseline, one.baseline_samples),
        ):
            columns = (_column(readings[run]), _column(samples[run]))
            times = tuple(START + 60 * period for period in range(found.periods))
            series.append(Series(name, arm, f"i-{arm}", times, *columns))
    release = Release("v1", "abc", "blue", ("i-1",))
    steps = (Step(START, 0.5, 0.5, equal_footing=True),)
    return Recording("bench", 60, release, release, steps, tuple(series))


def _column(row: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else float(value) for value in row)


def measures() -> list[Measure]:
    """Return every measurement, in the order of the report."""
    full = one_look(RUNS, PERIODS)
    ours_each, kayenta_each = full / PAIRS, kayenta(canaries(KAYENTA_RUNS, PERIODS))
    factor = kayenta_each / ours_each
    wide, long = one_look(2 * RUNS, PERIODS) / full, one_look(RUNS, 2 * PERIODS) / full
    return [
        Measure(
            f"{PAIRS:,} metric pairs x {PERIODS} periods: {full:.2f} s (limit {LIMIT_SECONDS} s)",
            full < LIMIT_SECONDS,
        ),
        Measure(
            f"per metric: ours {1e6 * ours_each:.0f} us, Kayenta's rule {1e6 * kayenta_each:.0f} us"
            f": {factor:.0f} times faster (at least {LIMIT_FACTOR:.0f})",
            factor >= LIMIT_FACTOR,
        ),
        Measure(f"twice the metrics cost x{wide:.2f}", wide < 2 * LIMIT_GROWTH),
        Measure(f"twice the periods cost x{long:.2f}", long < 2 * LIMIT_GROWTH),
        *_single(policy(PERIODS), recording(canaries(1, PERIODS)), kayenta_each),
        _memory(),
    ]


def _single(asked: Policy, one: Recording, kayenta_each: float) -> list[Measure]:
    """Measure one recording: `canary run` at its last look, and at every look."""
    judge(asked, one)
    last = seconds(lambda: judge(asked, one))
    ends = [START + 60 * look for look in range(1, PERIODS + 1)]
    every = seconds(lambda: [judge(asked, one, end) for end in ends], repeats=1)
    return [
        Measure(
            f"one recording of {len(METRICS)} metrics with all its sentences, last look: "
            f"{1e3 * last:.1f} ms ({1e3 * len(METRICS) * kayenta_each:.0f} ms for Kayenta's rule)"
        ),
        Measure(
            f"the same, all {PERIODS} looks: {every:.2f} s, {1e3 * every / PERIODS:.1f} ms a look "
            "(an early look costs less than the last)",
            every < PERIODS * last * LIMIT_GROWTH,
        ),
    ]


def _memory() -> Measure:
    arms, asked = ours.arms(canaries(RUNS, PERIODS)), policy(PERIODS)
    tracemalloc.start()
    judge_many(asked, arms, {}, looks=(PERIODS,))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    data = sum(2 * 8 * RUNS * PERIODS for _ in METRICS)
    return Measure(f"memory: {peak / 1e6:.0f} MB at most, beside {data / 1e6:.0f} MB of values")


@click.command(help=__doc__)
def main() -> None:
    """Measure, print each result, and exit with 1 if a goal is missed."""
    results = measures()
    for result in results:
        click.echo(f"{'ok    ' if result.fine else 'MISSED'}  {result.sentence}")
    sys.exit(0 if all(result.fine for result in results) else 1)


if __name__ == "__main__":
    main()
