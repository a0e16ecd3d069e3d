"""World A: the five scenarios of the study on which the judge's method is based.

Periods have 60 seconds. One load (a slope and an AR(1)) drives requests, latency, CPU, memory and
checkouts of both arms. A shared latency shock and shared error bursts affect both. Each host has a
permanent bias, its own AR(1) noise and its own bursts. Errors are over-dispersed binomials.
Latencies are lognormal, with the exact sampling noise of their percentiles, and normal noise of
their mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from tests.bench.verdict.readings import (
    LATENCIES,
    NONE,
    Canaries,
    Floats,
    Harm,
    Ints,
    Readings,
    autoregressive,
    episodes,
    holes,
    onset,
    spacings,
)

SIGMA = 0.7
MEDIAN_MS = 40.0
BASE_RATES = {"errors_5xx": 0.005, "errors_4xx": 0.02, "checkouts": 0.03}
DISPERSION = {"errors_5xx": 0.30, "errors_4xx": 0.12, "checkouts": 0.10}


@dataclass(frozen=True, slots=True)
class Scenario:
    """The parameters of a scenario."""

    name: str
    rate: float = 100.0
    share: float = 0.5
    phi: float = 0.6
    swing: float = 0.15
    bursts: float = 0.01
    bias: float = 0.007
    missing: float = 0.02


SCENARIOS = {
    "S1": Scenario("S1 base"),
    "S2": Scenario("S2 90/10", share=0.1),
    "S3": Scenario("S3 10 rps", rate=10.0),
    "S4": Scenario("S4 harsh", phi=0.9, swing=0.25, bursts=0.02, bias=0.010),
    "S5": Scenario("S5 benign", phi=0.3, swing=0.10, bursts=0.0, bias=0.0),
}


@dataclass(frozen=True, slots=True)
class Shared:
    """The effects on both arms."""

    load: Floats
    shock: Floats
    error_burst: Floats


def simulate(scenario: Scenario, harm: Harm, runs: int, periods: int, seed: int) -> Canaries:
    """``runs`` canaries of ``periods`` minutes; the same seed gives the same canaries."""
    generator = np.random.default_rng(seed)
    shape = (runs, periods)
    slope = generator.uniform(-0.2, 0.2, size=(runs, 1)) * np.linspace(-0.5, 0.5, periods)
    shared = Shared(
        np.exp(slope + autoregressive(generator, shape, scenario.phi, scenario.swing)),
        autoregressive(generator, shape, scenario.phi, 0.06),
        1 + 9 * episodes(generator, shape, scenario.bursts),
    )
    shares = scenario.share, 1 - scenario.share
    candidate = _arm(generator, scenario, shared, harm, shares[0])
    baseline = _arm(generator, scenario, shared, NONE, shares[1])
    samples = candidate["throughput"], baseline["throughput"]
    spreads = candidate.pop("spread"), baseline.pop("spread")
    return Canaries(
        scenario.share,
        {
            name: Readings(
                candidate[name],
                baseline[name],
                *samples,
                *(spreads if name in LATENCIES else (None, None)),
            )
            for name in candidate
        },
    )


def _arm(
    generator: np.random.Generator, scenario: Scenario, shared: Shared, harm: Harm, share: float
) -> dict[str, Floats]:
    shape = shared.load.shape
    there = onset(harm, shape[1])
    expected = 60 * scenario.rate * share * shared.load * harm.throughput**there
    wobble = np.exp(0.01 * generator.normal(size=shape) + _bias(generator, scenario, 0.4, shape))
    n = np.maximum(generator.poisson(expected * wobble), 1)
    values = _latencies(generator, scenario, shared, harm, n)
    for name in BASE_RATES:
        values[name] = _events(generator, scenario, shared, harm, n, name)
    values["cpu"] = _cpu(generator, scenario, shared, harm)
    values["memory"] = _memory(generator, scenario, shared, harm)
    values["throughput"] = n.astype(float)
    gone = holes(generator, shape, scenario.missing)
    return {name: value + gone for name, value in values.items()}


def _bias(
    generator: np.random.Generator, scenario: Scenario, factor: float, shape: tuple[int, ...]
) -> Floats:
    return generator.normal(size=(shape[0], 1)) * scenario.bias * factor


def _latencies(
    generator: np.random.Generator, scenario: Scenario, shared: Shared, harm: Harm, n: Ints
) -> dict[str, Floats]:
    shape, there = n.shape, onset(harm, n.shape[1])
    host = _bias(generator, scenario, 1.0, shape) + autoregressive(generator, shape, 0.3, 0.020)
    centre = np.log(MEDIAN_MS * harm.latency**there) + 0.3 * np.log(shared.load) + shared.shock
    places = [ndtri(place) for place in spacings(generator, n)]
    p50, p90, p99 = (centre + host + SIGMA * z for z in places)
    tail = np.log(harm.tail) * there + autoregressive(generator, shape, 0.2, 0.035)
    p99 += tail + 0.4 * episodes(generator, shape, scenario.bursts)
    relative = np.sqrt((np.exp(SIGMA**2) - 1) / n)
    drawn = 0.6 * (places[0] + places[1] - 1.2816) * SIGMA / 2
    drawn += 0.8 * relative * generator.normal(size=shape)
    mean = centre + host + SIGMA**2 / 2 + drawn + 0.052 * (harm.tail - 1) * there
    logs = {"latency_mean": mean, "latency_p50": p50, "latency_p90": p90, "latency_p99": p99}
    return {name: np.exp(log) for name, log in logs.items()} | {"spread": (p90 - p50) / 1.2816}


def _events(
    generator: np.random.Generator,
    scenario: Scenario,
    shared: Shared,
    harm: Harm,
    n: Ints,
    name: str,
) -> Floats:
    factor = getattr(harm, name) ** onset(harm, n.shape[1])
    rate = BASE_RATES[name] * factor * np.exp(_bias(generator, scenario, 1.5, n.shape))
    if name == "checkouts":
        rate = rate * shared.load**0.2
    else:
        own = 1 + 4 * episodes(generator, n.shape, scenario.bursts) * (name == "errors_5xx")
        rate = rate * shared.error_burst * own
    shape_parameter = 1 / DISPERSION[name] ** 2
    dispersed = rate * generator.gamma(shape_parameter, 1 / shape_parameter, size=n.shape)
    return generator.binomial(n, np.minimum(dispersed, 0.9)).astype(float)


def _cpu(generator: np.random.Generator, scenario: Scenario, shared: Shared, harm: Harm) -> Floats:
    shape = shared.load.shape
    host = _bias(generator, scenario, 1.5, shape) + autoregressive(generator, shape, 0.5, 0.035)
    burst = 1 + 0.35 * episodes(generator, shape, scenario.bursts)
    there = onset(harm, shape[1])
    return 35 * shared.load**0.8 * np.exp(host) * burst * harm.cpu**there


def _memory(
    generator: np.random.Generator, scenario: Scenario, shared: Shared, harm: Harm
) -> Floats:
    """Return memory in per cent. Hosts differ by a constant offset and drift slowly."""
    runs, periods = shared.load.shape
    minutes, since = np.arange(periods), np.cumsum(onset(harm, periods))
    offset = generator.normal(size=(runs, 1)) * 60 * scenario.bias
    creep = generator.normal(size=(runs, 1)) * scenario.bias * minutes
    own = autoregressive(generator, (runs, periods), 0.8, 0.30)
    return 50 + 2 * np.log(shared.load) + offset + creep + own + harm.leak * since
