"""The judge waits for a slower candidate only while its latency falls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from canary.judge import judge
from canary.model import Arm, Recording, Release, Series, Step, Verdict
from canary.policy import parse_policy
from canary.stats.distributions import Floats

SECONDS, PERIODS = 5, 60
POLICY = parse_policy(
    "version: 1\nperiod: 5s\nwarmup: 0s\nminimum: 5m\nmaximum: 1h\n"
    "metrics:\n- {name: it, kind: latency}\n"
)
AGE = np.arange(PERIODS, dtype=float)
TWICE = np.full(PERIODS, 2.0)
TWICE_AND_COLD = 1.8 * (1 + 0.5 * np.exp(-AGE / 4))
"""A slow release whose processes are even slower at first."""


def proxied(course: Floats, hosts: int, seed: int, scatter: float = 0.05) -> Recording:
    """Return mean latencies of a proxy, every five seconds; ``course`` slows the candidate."""
    noise = np.random.default_rng(seed)
    times = tuple(range(0, SECONDS * PERIODS, SECONDS))
    common, factors = noise.normal(0, 0.1, PERIODS), {Arm.CANDIDATE: course, Arm.BASELINE: 1.0}
    arms = {arm: tuple(f"{arm}-{number}" for number in range(hosts)) for arm in factors}
    series = []
    for arm, factor in factors.items():
        for host in arms[arm]:
            values = 40 * np.exp(common + noise.normal(0, scatter, PERIODS)) * factor
            samples = (200.0 / hosts,) * PERIODS
            series.append(Series("it", arm, host, times, tuple(values.tolist()), samples))
    new, old = (Release("v", "c", "blue", arms[arm]) for arm in (Arm.CANDIDATE, Arm.BASELINE))
    step = Step(0, 0.5, 0.5, equal_footing=True)
    return Recording("test", SECONDS, old, new, (step,), tuple(series))


def fails(recording: Recording) -> int:
    """Return the period after which it fails, 0 for never."""
    for k in range(4, PERIODS + 1, 2):
        if judge(POLICY, recording, SECONDS * k).verdict is Verdict.FAIL:
            return k
    return 0


@pytest.mark.parametrize("hosts", [1, 2, 8])
@pytest.mark.parametrize("course", [TWICE, TWICE_AND_COLD])
def test_a_release_that_is_slow_for_good_fails_soon(course: Floats, hosts: int) -> None:
    """Its line may fall by chance, or because its processes were cold, but not to the margin."""
    found = [fails(proxied(course, hosts, seed)) for seed in range(4)]
    assert min(found) > 0
    assert max(found) <= 45


@pytest.mark.parametrize("hosts", [1, 8])
@pytest.mark.parametrize("minutes", [1, 2])
def test_a_release_that_warms_up_is_waited_for(minutes: int, hosts: int) -> None:
    """It starts twice as slow, and loses two thirds of that within some minutes."""
    course = 1 + np.exp(-AGE * SECONDS / 60 / minutes)
    assert not any(fails(proxied(course, hosts, seed)) for seed in range(4))


def test_periods_without_a_value_are_no_fade() -> None:
    """The load ends in the middle, and the earlier data still count."""
    kept = proxied(TWICE_AND_COLD, 1, 1)
    half = PERIODS // 2
    cut = tuple(
        replace(one, values=one.values[:half] + (None,) * (PERIODS - half)) for one in kept.series
    )
    assert 0 < fails(replace(kept, series=cut)) <= 45
