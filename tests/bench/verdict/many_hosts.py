"""The worlds with several hosts in each arm, for tuning: each host is drawn as one arm.

Effects that worlds A and B share between the arms are shared by all hosts. An arm's traffic is
divided equally among its hosts. Only seeds below 10,000 are used, so nothing here is part of the
frozen scoreboard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tests.bench.verdict import world_a, world_b
from tests.bench.verdict.fleets import weather
from tests.bench.verdict.readings import NONE, Floats, Harm, onset

Host = dict[str, Floats]


@dataclass(frozen=True, slots=True)
class Fleet:
    """Many canaries with several hosts per arm: arrays ``[canaries, hosts, periods]`` by metric."""

    share: float
    candidate: Mapping[str, Floats]
    baseline: Mapping[str, Floats]


def simulate(
    scenario: str, candidate: Sequence[Harm], baseline: Sequence[Harm], size: tuple[int, int, int]
) -> Fleet:
    """Draw canaries. Each arm has one host for each of its harms. ``size``: runs, periods, seed."""
    runs, periods, seed = size
    generator = np.random.default_rng([0xC, seed])
    if scenario in world_a.SCENARIOS:
        return _world_a(
            generator, world_a.SCENARIOS[scenario], (candidate, baseline), (runs, periods)
        )
    return _world_b(generator, world_b.SCENARIOS[scenario], (candidate, baseline), (runs, periods))


def equal(hosts: int) -> tuple[Harm, ...]:
    """Return the list of harms for an arm whose hosts have none."""
    return (NONE,) * hosts


def _world_a(
    generator: np.random.Generator,
    scenario: world_a.Scenario,
    harms: tuple[Sequence[Harm], Sequence[Harm]],
    shape: tuple[int, int],
) -> Fleet:
    shared = weather(generator, scenario, shape)
    arms = [
        [world_a._arm(generator, scenario, shared, harm, share / len(arm)) for harm in arm]
        for arm, share in zip(harms, (scenario.share, 1 - scenario.share), strict=True)
    ]
    return Fleet(scenario.share, _stacked(arms[0]), _stacked(arms[1]))


def _world_b(
    generator: np.random.Generator,
    scenario: world_b.Scenario,
    harms: tuple[Sequence[Harm], Sequence[Harm]],
    shape: tuple[int, int],
) -> Fleet:
    weather = world_b.Weather(
        world_b._modulated(generator, shape),
        np.cumsum(0.03 * generator.standard_t(4, size=shape), axis=1),
        world_b._pareto_bursts(generator, shape, 0.6 * scenario.bursts),
    )
    total = generator.poisson(60 * scenario.rate * weather.arrivals)
    arms = []
    for arm, share in zip(harms, (scenario.share, 1 - scenario.share), strict=True):
        hosts = []
        for harm in arm:
            there = onset(harm, shape[1])
            skew = np.exp(world_b._bias(generator, scenario, 0.4, shape)) * harm.throughput**there
            sent = generator.poisson(total * np.minimum(share / len(arm) * skew, 1.0))
            hosts.append(world_b._arm(generator, scenario, weather, harm, np.maximum(sent, 1)))
        arms.append(hosts)
    return Fleet(scenario.share, _stacked(arms[0]), _stacked(arms[1]))


def _stacked(hosts: Sequence[Host]) -> dict[str, Floats]:
    return {name: np.stack([host[name] for host in hosts], axis=1) for name in hosts[0]}
