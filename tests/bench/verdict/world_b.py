"""World B: a world on which no judge was tuned.

Its distributions differ from those of world A. Arrivals are a Markov-modulated Poisson process,
split at random. Latencies are Weibull. Noise is heavy-tailed and drifts. Bursts have Pareto heights
and lengths, and affect one arm or both. Errors come in batches, and are more frequent in bursts of
latency.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gamma as gamma_function

from tests.bench.verdict.readings import (
    LATENCIES,
    NONE,
    Canaries,
    Floats,
    Harm,
    Ints,
    Readings,
    holes,
    onset,
    spacings,
)

SHAPE = 1.3
SCALE_MS = 60.0
ARRIVALS = np.array([0.6, 1.0, 1.9])
STAYS = 0.85
BATCH = {"errors_5xx": 0.45, "errors_4xx": 0.7, "checkouts": 1.0}
BASE_RATES = {"errors_5xx": 0.004, "errors_4xx": 0.025, "checkouts": 0.04}


@dataclass(frozen=True, slots=True)
class Scenario:
    """The traffic and the noise."""

    name: str
    rate: float = 100.0
    share: float = 0.5
    bursts: float = 0.012
    drift: float = 0.006
    bias: float = 0.008
    missing: float = 0.03


SCENARIOS = {
    "B1": Scenario("B1 base"),
    "B2": Scenario("B2 85/15", share=0.15),
    "B3": Scenario("B3 15 rps", rate=15.0),
    "B4": Scenario("B4 rough", bursts=0.02, drift=0.010, bias=0.012),
}


@dataclass(frozen=True, slots=True)
class Weather:
    """The effects on both arms: arrivals, drifting latency, and bursts."""

    arrivals: Floats
    slowness: Floats
    burst: Floats


def simulate(scenario: Scenario, harm: Harm, runs: int, periods: int, seed: int) -> Canaries:
    """``runs`` canaries of ``periods`` minutes; the same seed gives the same canaries."""
    generator = np.random.default_rng([0xB, seed])
    shape = (runs, periods)
    weather = Weather(
        _modulated(generator, shape),
        np.cumsum(0.03 * generator.standard_t(4, size=shape), axis=1),
        _pareto_bursts(generator, shape, 0.6 * scenario.bursts),
    )
    share, there = scenario.share, onset(harm, periods)
    total = generator.poisson(60 * scenario.rate * weather.arrivals)
    split = share * harm.throughput**there * np.exp(_bias(generator, scenario, 0.4, shape))
    sent = generator.binomial(total, np.minimum(split / (1 - share + split), 1.0))
    candidate = _arm(generator, scenario, weather, harm, np.maximum(sent, 1))
    baseline = _arm(generator, scenario, weather, NONE, np.maximum(total - sent, 1))
    samples = candidate["throughput"], baseline["throughput"]
    spreads = candidate.pop("spread"), baseline.pop("spread")
    metrics = {
        name: Readings(
            candidate[name],
            baseline[name],
            *samples,
            *(spreads if name in LATENCIES else (None, None)),
        )
        for name in candidate
    }
    return Canaries(share, metrics)


def _modulated(generator: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Draw three levels of traffic, which last some minutes each."""
    state = generator.integers(0, len(ARRIVALS), size=shape[0])
    levels = np.empty(shape)
    for t in range(shape[1]):
        moves = generator.random(shape[0]) > STAYS
        state = np.where(moves, generator.integers(0, len(ARRIVALS), size=shape[0]), state)
        levels[:, t] = ARRIVALS[state]
    return levels


def _pareto_bursts(generator: np.random.Generator, shape: tuple[int, int], chance: float) -> Floats:
    """Draw bursts as factors of at least 1: Pareto heights up to 8, Pareto lengths up to 12."""
    factor = np.ones(shape)
    rows, starts = np.nonzero(generator.random(shape) < chance)
    heights = np.minimum(1 + 0.15 * (1 + generator.pareto(1.3, size=rows.size)), 8.0)
    lengths = np.minimum(1 + generator.pareto(1.5, size=rows.size), 12.0).astype(np.int64)
    for row, start, height, length in zip(rows, starts, heights, lengths, strict=True):
        part = factor[row, start : start + length]
        np.maximum(part, height, out=part)
    return factor


def _bias(
    generator: np.random.Generator, scenario: Scenario, factor: float, shape: tuple[int, ...]
) -> Floats:
    """Draw the biases of hosts of two models, which differ slightly within a model."""
    make = generator.choice((-1.0, 1.0), size=(shape[0], 1))
    return scenario.bias * factor * (0.7 * make + 0.7 * generator.normal(size=(shape[0], 1)))


def _wander(
    generator: np.random.Generator, shape: tuple[int, int], pull: float, step: float
) -> Floats:
    """Draw a heavy-tailed random walk that reverts to zero."""
    steps = step * generator.standard_t(5, size=shape)
    walk = np.empty(shape)
    walk[:, 0] = steps[:, 0]
    for t in range(1, shape[1]):
        walk[:, t] = (1 - pull) * walk[:, t - 1] + steps[:, t]
    return walk


def _arm(
    generator: np.random.Generator, scenario: Scenario, weather: Weather, harm: Harm, n: Ints
) -> dict[str, Floats]:
    own = _pareto_bursts(generator, n.shape, 0.4 * scenario.bursts)
    rough = weather.burst * own
    values = _latencies(generator, scenario, weather, harm, n, rough)
    for name in BASE_RATES:
        values[name] = _batches(generator, scenario, harm, n, rough, name)
    there = onset(harm, n.shape[1])
    bias = _bias(generator, scenario, 1.5, n.shape)
    noise = _wander(generator, n.shape, 0.6, 0.03) + bias + 0.3 * np.log(rough)
    values["cpu"] = 28 * weather.arrivals**0.7 * np.exp(noise) * harm.cpu**there
    values["memory"] = _memory(generator, scenario, weather, harm)
    values["throughput"] = n.astype(float)
    gone = holes(generator, n.shape, scenario.missing)
    return {name: value + gone for name, value in values.items()}


def _latencies(
    generator: np.random.Generator,
    scenario: Scenario,
    weather: Weather,
    harm: Harm,
    n: Ints,
    rough: Floats,
) -> dict[str, Floats]:
    there = onset(harm, n.shape[1])
    wander = _wander(generator, n.shape, 0.7, 0.014) + _bias(generator, scenario, 1.0, n.shape)
    scale = SCALE_MS * np.exp(0.2 * weather.slowness + wander) * weather.arrivals**0.25
    scale = scale * rough**0.5 * harm.latency**there
    places = [(-np.log1p(-place)) ** (1 / SHAPE) for place in spacings(generator, n)]
    p50, p90, p99 = (scale * place for place in places)
    p99 = p99 * rough**0.5 * harm.tail**there * np.exp(_wander(generator, n.shape, 0.8, 0.025))
    centre = gamma_function(1 + 1 / SHAPE)
    relative = np.sqrt(gamma_function(1 + 2 / SHAPE) / centre**2 - 1)
    drawn = 1 + relative / np.sqrt(n) * generator.normal(size=n.shape)
    mean = scale * centre * drawn * (1 + 0.04 * (harm.tail - 1) * there)
    logs = np.log(p90 / p50) / 1.2816
    return {
        "latency_mean": mean,
        "latency_p50": p50,
        "latency_p90": p90,
        "latency_p99": p99,
        "spread": logs,
    }


def _batches(
    generator: np.random.Generator,
    scenario: Scenario,
    harm: Harm,
    n: Ints,
    rough: Floats,
    name: str,
) -> Floats:
    """Draw events in batches of geometric size. Errors increase in bursts of latency."""
    rate = BASE_RATES[name] * np.exp(_bias(generator, scenario, 1.5, n.shape))
    rate = rate * getattr(harm, name) ** onset(harm, n.shape[1])
    if name != "checkouts":
        rate = rate * rough**1.5 * np.exp(_wander(generator, n.shape, 0.5, 0.10))
    ends = BATCH[name]
    batches = generator.poisson(n * rate * ends)
    more = generator.negative_binomial(np.maximum(batches, 1), ends) if ends < 1 else 0
    events: Floats = np.minimum(batches + np.where(batches > 0, more, 0), n).astype(float)
    return events


def _memory(
    generator: np.random.Generator, scenario: Scenario, weather: Weather, harm: Harm
) -> Floats:
    """Draw memory: a sawtooth of garbage collection on a drifting level."""
    runs, periods = weather.arrivals.shape
    minutes = np.arange(periods)
    cycle = generator.uniform(3, 9, size=(runs, 1))
    saw = 0.8 * ((minutes / cycle + generator.random((runs, 1))) % 1.0)
    offset = 60 * _bias(generator, scenario, 1.0, (runs, periods))
    creep = scenario.drift * generator.normal(size=(runs, 1)) * minutes
    own = _wander(generator, (runs, periods), 0.3, 0.12)
    leak: Floats = harm.leak * np.cumsum(onset(harm, periods))
    return 42 + saw + offset + creep + own + leak
