"""Recordings of one metric with one host per arm, for tests of the rules that protect a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from canary.judge import judge
from canary.model import Arm, Judgement, Recording, Release, Series, Step, Verdict
from canary.offline.analyze import Window, collect, covering
from canary.offline.replay import judge_looks
from canary.policy import Policy, parse_policy
from canary.sources.csv import Csv

CASES = Path(__file__).parent / "cases"
Values = Sequence[float]


def policy(metric: str, periods: int = 60) -> Policy:
    """Return a policy with one metric, named ``it``, and periods of a minute."""
    return parse_policy(
        f"version: 1\nwarmup: 0s\nminimum: 10m\nmaximum: {periods}m\n"
        f"metrics:\n- {{name: it, {metric}}}\n"
    )


def recorded(
    candidate: Values, baseline: Values, samples: Values | float | None = None
) -> Recording:
    """Return a recording of two arms with one host each, and periods of a minute."""
    count = len(candidate)
    times = tuple(range(0, 60 * count, 60))
    behind = samples if isinstance(samples, Sequence) else [samples] * count
    series = tuple(
        Series("it", arm, arm.value, times, tuple(map(float, values)), tuple(behind))
        for arm, values in ((Arm.CANDIDATE, candidate), (Arm.BASELINE, baseline))
    )
    new, old = (Release("v", "c", "blue", (arm.value,)) for arm in (Arm.CANDIDATE, Arm.BASELINE))
    step = Step(0, 0.5, 0.5, equal_footing=True)
    return Recording("test", 60, old, new, (step,), series)


def looks(asked: Policy, recording: Recording, first: int = 1) -> list[Judgement]:
    """Judge after every period, from the ``first`` on."""
    count = len(recording.series[0].times)
    return [judge(asked, recording, 60 * k) for k in range(first, count + 1)]


def first_fail(judgements: Sequence[Judgement]) -> int:
    """Return the period of the first FAIL, 0 if there is none."""
    found = [at for at, one in enumerate(judgements, 1) if one.verdict is Verdict.FAIL]
    return found[0] if found else 0


def passes(judgements: Sequence[Judgement]) -> list[int]:
    """Return the periods after which the verdict was PASS."""
    return [at for at, one in enumerate(judgements, 1) if one.verdict is Verdict.PASS]


def errors(seed: int, periods: int, factor: Values | float = 1.0, rate: float = 0.005) -> Values:
    """Return errors of 3,000 requests per period."""
    shares = np.minimum(rate * np.broadcast_to(np.asarray(factor, dtype=float), periods), 1.0)
    found: list[float] = np.random.default_rng(seed).binomial(3000, shares).astype(float).tolist()
    return found


def around(seed: int, periods: int, level: Values | float, spread: float = 0.02) -> Values:
    """Return values that scatter around a level, which may change."""
    noise = np.random.default_rng(seed).normal(0.0, spread, periods)
    found: list[float] = (np.broadcast_to(level, periods) * np.exp(noise)).tolist()
    return found


def since(start: int, periods: int, factor: float) -> list[float]:
    """Return 1 until period ``start``, then ``factor``."""
    return [1.0] * start + [factor] * (periods - start)


def analysed(name: str, metric: str) -> tuple[Judgement, ...]:
    """Return the judgements of ``canary analyze``, look by look until a FAIL."""
    asked = parse_policy(f"version: 1\nmetrics:\n- {{{metric}}}\n")
    source = Csv(CASES / f"{name}.csv", asked.period)
    arms = {arm: Release(arm, "", arm, source.instances(arm)) for arm in Arm}
    start, end = source.window()
    recording = collect(name, asked, source, Window(start, end, arms, 0.5, equal_footing=True))
    return judge_looks(covering(asked, recording), recording)
