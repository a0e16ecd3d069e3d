"""Past windows with invalid data, made from a healthy one: 2 hosts per arm, 40 minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from canary.judge import judge
from canary.model import Arm, Finding, Judgement, Recording, Series
from canary.policy import Policy, parse_policy
from tests.unit.canary.windows import window_of

START, PERIODS = 1_200_000, 40
POLICY = """
version: 1
warmup: 0s
minimum: 10m
maximum: 40m
metrics:
- {name: latency, kind: latency}
- {name: errors, kind: count}
- {name: requests, kind: throughput, critical: false}
- {name: memory, kind: level, critical: false}
"""
Change = Callable[[Series], Series | None]


def policy(**settings: Mapping[str, object]) -> Policy:
    """Return the policy with more settings of some metrics: ``errors={"absent": "zero"}``."""
    found = parse_policy(POLICY)
    metrics = [
        type(one).model_validate(one.model_dump() | dict(settings.get(one.name, {})))
        for one in found.metrics
    ]
    return found.model_copy(update={"metrics": tuple(metrics)})


def window(*changes: Change, errors: float = 0.005) -> Recording:
    """Return a healthy window after some changes; ``errors`` is the candidate's rate."""
    series: list[Series] = []
    random = np.random.default_rng(7)
    for arm in Arm:
        for host in ("1", "2"):
            rate = errors if arm is Arm.CANDIDATE else 0.005
            series += _host(random, arm, f"{arm}-{host}", rate)
    for change in changes:
        series = [new for one in series if (new := change(one)) is not None]
    return window_of(series, START, PERIODS)


def _host(random: np.random.Generator, arm: Arm, host: str, rate: float) -> Iterable[Series]:
    requests = random.poisson(3000, PERIODS).astype(float)
    columns = {
        "latency": 100 * np.exp(0.02 * random.standard_normal(PERIODS)),
        "errors": random.poisson(rate * requests).astype(float),
        "requests": requests,
        "memory": 300 * np.exp(0.002 * random.standard_normal(PERIODS)),
    }
    times = tuple(range(START, START + 60 * PERIODS, 60))
    for metric, values in columns.items():
        yield Series(metric, arm, host, times, tuple(values.tolist()), tuple(requests.tolist()))


def of(metric: str, host: str, change: Callable[[list[float]], list[float | None]]) -> Change:
    """Return a change of the values of one metric, on hosts whose name begins with ``host``."""

    def changed(one: Series) -> Series:
        if one.metric != metric or not one.instance.startswith(host):
            return one
        return replace(one, values=tuple(change([value or 0.0 for value in one.values])))

    return changed


def times(factor: float) -> Callable[[list[float]], list[float | None]]:
    """Return a change that multiplies each value."""
    return lambda values: [factor * value for value in values]


def judged(recording: Recording, rules: Policy | None = None) -> Judgement:
    """Return the judgement of the whole window."""
    return judge(rules or policy(), recording)


def finding(judgement: Judgement, metric: str) -> Finding:
    """Return the finding of a metric."""
    return next(one for one in judgement.findings if one.metric == metric)
