"""Fleets: the canaries of world A with several hosts on each side, and rehearsals of any size.

The hosts of an arm share its traffic evenly. Their values are pooled as in ``canary``: counts are
added, latencies are averaged with requests as weights, and other metrics are averaged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tests.bench.verdict import world_a
from tests.bench.verdict.readings import (
    LATENCIES,
    NONE,
    Canaries,
    Floats,
    Harm,
    Readings,
    autoregressive,
    episodes,
)

Values = Mapping[str, Floats]
ADDED = (*world_a.BASE_RATES, "throughput")


def simulate(
    scenario: world_a.Scenario, harm: Harm, size: tuple[int, int], seed: int, *, hosts: int = 1
) -> Canaries:
    """Simulate canaries. ``size`` is canaries by periods; each arm has ``hosts`` hosts."""
    generator = np.random.default_rng(seed)
    shared = weather(generator, scenario, size)
    arms = [
        [world_a._arm(generator, scenario, shared, one, share / hosts) for _ in range(hosts)]
        for one, share in ((harm, scenario.share), (NONE, 1 - scenario.share))
    ]
    return canaries(scenario.share, *map(pool, arms))


def weather(
    generator: np.random.Generator, scenario: world_a.Scenario, size: tuple[int, int]
) -> world_a.Shared:
    """Return the effects on both arms."""
    slope = generator.uniform(-0.2, 0.2, size=(size[0], 1)) * np.linspace(-0.5, 0.5, size[1])
    return world_a.Shared(
        np.exp(slope + autoregressive(generator, size, scenario.phi, scenario.swing)),
        autoregressive(generator, size, scenario.phi, 0.06),
        1 + 9 * episodes(generator, size, scenario.bursts),
    )


def pool(hosts: Sequence[Values]) -> Values:
    """Return the pooled hosts of an arm. A period that any host misses is missing."""
    if len(hosts) == 1:
        return hosts[0]
    requests = np.stack([host["throughput"] for host in hosts])
    found = {}
    for name in hosts[0]:
        each = np.stack([host[name] for host in hosts])
        if name in ADDED:
            found[name] = np.nansum(each, axis=0)
        elif name in LATENCIES:
            weight = np.where(np.isfinite(each), requests, 0.0)
            found[name] = np.nansum(each * weight, axis=0) / np.maximum(weight.sum(axis=0), 1)
        else:
            found[name] = np.nanmean(each, axis=0)
    gone = ~np.isfinite(requests).all(axis=0)
    return {name: np.where(gone, np.nan, values) for name, values in found.items()}


def canaries(share: float, candidate: Values, baseline: Values) -> Canaries:
    """Return both arms as canaries."""
    samples = candidate["throughput"], baseline["throughput"]
    spreads = candidate["spread"], baseline["spread"]
    return Canaries(
        share,
        {
            name: Readings(
                candidate[name],
                baseline[name],
                *samples,
                *(spreads if name in LATENCIES else (None, None)),
            )
            for name in candidate
            if name != "spread"
        },
    )


def after_lead_in(
    scenario: world_a.Scenario, harm: Harm, size: tuple[int, int], lead: int, seed: int
) -> tuple[Canaries, Canaries]:
    """Return ``lead`` periods on one release, and then the canary, on the same hosts."""
    runs, periods = size
    late = replace(harm, onset=lead / (lead + periods))
    whole = simulate(scenario, late, (runs, lead + periods), seed)
    return cut(whole, slice(0, lead)), cut(whole, slice(lead, None))


def cut(whole: Canaries, part: slice) -> Canaries:
    """Return some periods of every canary."""

    def piece(values: Floats | None) -> Floats | None:
        return None if values is None else values[:, part]

    return Canaries(
        whole.share,
        {
            name: Readings(
                one.candidate[:, part],
                one.baseline[:, part],
                one.candidate_samples[:, part],
                one.baseline_samples[:, part],
                piece(one.candidate_spread),
                piece(one.baseline_spread),
            )
            for name, one in whole.metrics.items()
        },
    )
