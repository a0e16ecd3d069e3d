"""Recordings for tests of the verdict, seeded, with the harm that a test chooses."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from canary.model import Arm, Recording, Release, Series, Step
from canary.policy import Policy, parse_policy

PERIODS = 55
POLICY = """
version: 1
warmup: 2m
minimum: 10m
maximum: 55m
metrics:
- {name: p90 latency, kind: quantile}
- {name: errors, kind: count}
- {name: cpu, kind: gauge, margin: 20%}
- {name: memory, kind: level, margin: 20%}
"""


def policy(extra: str = "") -> Policy:
    """Return a policy of four metrics, of which all must pass."""
    return parse_policy(POLICY + extra)


def healthy(
    seed: int = 1,
    *,
    latency: float = 1.0,
    errors: float = 1.0,
    cpu: float = 1.0,
    leak: float = 0.0,
    instances: int = 2,
) -> Recording:
    """Return two equal arms of a shop at 100 requests per second; the factors harm the candidate.

    ``leak`` is a share of the memory per minute.
    """
    generator, periods = np.random.default_rng(seed), PERIODS
    load = np.exp(0.2 * generator.standard_normal(periods))
    series: list[Series] = []
    for arm in Arm:
        harm = arm is Arm.CANDIDATE
        for number in range(instances):
            series += _instance(
                generator,
                arm,
                f"{arm.value}-{number + 1}",
                load,
                (latency, errors, cpu, leak) if harm else (1.0, 1.0, 1.0, 0.0),
                3000 / instances,
            )
    names = {arm: tuple(sorted({s.instance for s in series if s.arm is arm})) for arm in Arm}
    return Recording(
        environment="test",
        period=60,
        baseline=Release("v1", "a" * 40, "blue", names[Arm.BASELINE]),
        candidate=Release("v2", "b" * 40, "green", names[Arm.CANDIDATE]),
        steps=(Step(0, 0.5, 0.5, equal_footing=True),),
        series=tuple(series),
        looks=tuple(range(180, 60 * periods + 1, 60)),
    )


def _instance(
    generator: np.random.Generator,
    arm: Arm,
    name: str,
    load: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    harm: tuple[float, float, float, float],
    requests: float,
) -> list[Series]:
    latency, errors, cpu, leak = harm
    count = len(load)
    n = generator.poisson(requests * load).astype(float)
    own = 0.01 * generator.standard_normal(count)
    minutes = np.arange(count)
    columns = {
        "p90 latency": 120 * load**0.3 * np.exp(own) * latency,
        "errors": generator.poisson(0.005 * n * errors).astype(float),
        "cpu": 40 * load**0.8 * np.exp(0.03 * generator.standard_normal(count)) * cpu,
        "memory": 300 * (1 + 0.002 * generator.standard_normal(count) + leak * minutes),
    }
    times = tuple(range(0, 60 * count, 60))
    return [
        Series(
            metric,
            arm,
            name,
            times,
            tuple(float(x) for x in column),
            tuple(float(x) for x in n),
            (0.7,) * count if metric == "p90 latency" else (),
        )
        for metric, column in columns.items()
    ]


def scaled(
    kept: Recording, host: str, metrics: Collection[str], factors: Sequence[float]
) -> Recording:
    """Multiply metrics of one host by a factor for each period."""
    return replace(
        kept,
        series=tuple(
            replace(
                one,
                values=tuple(
                    None if value is None else value * factor
                    for value, factor in zip(one.values, factors, strict=True)
                ),
            )
            if one.instance == host and one.metric in metrics
            else one
            for one in kept.series
        ),
    )
