"""A tail beside the typical latency: in a fresh process both are slow, in a release maybe one."""

from __future__ import annotations

import numpy as np

from canary.judge.batch import Arms, judge_many
from tests.bench.verdict.readings import Floats, policy

RUNS, PERIODS = 200, 30


def arms(generator: np.random.Generator, factor: Floats, noise: float) -> Arms:
    shape = RUNS, PERIODS
    values = [40 * np.exp(noise * generator.normal(size=shape)) for _ in range(2)]
    chances = np.full(shape, 3000.0)
    return Arms(values[0] * factor, values[1], chances, chances)


def failed(mean: Floats, tail: Floats) -> float:
    """Return the share of runs in which the tail fails within 15 periods."""
    generator = np.random.default_rng(1)
    both = {"latency_mean": arms(generator, mean, 0.02), "latency_p99": arms(generator, tail, 0.06)}
    first = judge_many(policy(PERIODS), both).metric_fail["latency_p99"]
    return float(((first > 0) & (first <= 15)).mean())


def test_a_tail_that_is_worse_alone_fails_and_one_that_falls_with_the_rest_does_not() -> None:
    still = np.ones(PERIODS)
    fading = 1 + 0.5 * np.maximum(0, 1 - np.arange(PERIODS) / 15)
    assert failed(still, still * 1.6) >= 0.95
    assert failed(fading, fading) <= 0.01
    assert failed(still, still) == 0.0
