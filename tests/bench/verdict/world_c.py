"""World C: hosts with a history. It was frozen before the judge was tuned for several hosts.

Every arm has two to eight hosts. Candidates are fresh processes: their memory grows to the level of
old processes, and their first minutes are slower. Hosts drift, run cron jobs, become sick, are
added and replaced. Sticky users load some hosts more than others. Arrivals are negative binomial on
a daily curve, latencies log-logistic, errors beta-binomial with outages of a dependency.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gamma as gamma_function

from tests.bench.verdict.many_hosts import Fleet, Host
from tests.bench.verdict.readings import NONE, Floats, Harm, Ints, episodes, holes, onset, spacings

SHAPE = 4.2
"""Shape of the log-logistic latency: its 99th percentile is 3.3 times the median."""
MEDIAN_MS = 55.0
BASE_RATES = {"errors_5xx": 0.004, "errors_4xx": 0.03, "checkouts": 0.035}
CLUSTER = {"errors_5xx": 0.004, "errors_4xx": 0.0015, "checkouts": 0.0012}
"""Intra-class correlation of the beta-binomial: how far events of one minute share a cause."""
CRON_EVERY, CRON_LASTS = 15, 2
FRESH_MEMORY, FRESH_MINUTES = 0.35, 14.0
"""The share of memory that a fresh process lacks, and the time constant of its growth."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """The properties of an arm with ``hosts`` hosts, and of its traffic.

    Attributes:
        noise: scales every host's own noise, drift and outages ("harsh weather").
        cold: how much slower a fresh process is at first; ``fades`` is the time constant.
        drift: standard deviation of a host's steps, in log units per minute.
        sticky: the share of an arm's requests that one user sends, always to its first host.
        cron: one host of the baseline and one of the candidate run a job.
        sick: factors of errors and latency of one baseline host.
        joins: baseline hosts that join in mid-run; traffic is divided anew.
        replaced: one candidate host is replaced in mid-run and is away for three minutes.
    """

    name: str
    hosts: int = 2
    rate: float = 90.0
    share: float = 0.5
    noise: float = 1.0
    cold: float = 0.25
    fades: float = 2.0
    drift: float = 0.0015
    sticky: float = 0.0
    cron: bool = False
    sick: tuple[float, float] | None = None
    joins: int = 0
    replaced: bool = False


SCENARIOS = {
    "C1": Scenario("C1 two fresh hosts"),
    "C2": Scenario("C2 four hosts that drift", hosts=4, drift=0.004),
    "C3": Scenario("C3 eight hosts", hosts=8, rate=240.0),
    "C4": Scenario("C4 a sticky user", sticky=0.2),
    "C5": Scenario("C5 a sick baseline host", hosts=4, sick=(16.0, 1.5)),
    "C6": Scenario("C6 cron on one host", hosts=4, cron=True),
    "C7": Scenario("C7 baseline scaled out", joins=2),
    "C8": Scenario("C8 a host replaced", hosts=4, replaced=True),
    "C9": Scenario("C9 harsh weather", noise=2.0),
    "C10": Scenario("C10 3 % of traffic", share=0.03, rate=400.0),
    "C11": Scenario("C11 slow warm-up", cold=0.5, fades=8.0),
    "C12": Scenario("C12 one host an arm", hosts=1),
}
REHEARSED_AS = {"C9": "C1", "C10": "C4"}
"""Scenarios whose rehearsal had other noise, or another split, than the canary."""
REHEARSALS = (0, 8, 12, 24, 50, 200)
ONE_BAD = {
    "5xx x5": Harm("one host, 5xx x5", errors_5xx=5.0, affects=("errors_5xx",)),
    "p99 x1.5": Harm("one host, p99 x1.5", tail=1.5, affects=("latency_p99",)),
    "latency x1.5": Harm("one host, latency x1.5", latency=1.5),
}


@dataclass(frozen=True, slots=True)
class Life:
    """The life of one host: arrays ``[canaries, periods]``.

    Attributes:
        part: the host's share of its arm's traffic; 0 while the host does not exist.
        age: minutes since its process started.
    """

    part: Floats
    age: Floats
    cron: bool = False
    sick: tuple[float, float] = (1.0, 1.0)


def simulate(
    scenario: Scenario, harm: Harm, size: tuple[int, int, int], hit: int | None = None
) -> Fleet:
    """Draw canaries. ``size`` is runs, periods and seed; ``hit`` candidate hosts have the harm."""
    runs, periods, seed = size
    generator = np.random.default_rng([0xCC, seed])
    shape = (runs, periods)
    day = 0.25 * np.sin(
        2 * np.pi * (np.arange(periods) / 720 + generator.random((runs, 1)))
    ) + np.cumsum(0.02 * generator.normal(size=shape), axis=1)
    outage = 1 + 12 * episodes(generator, shape, 0.006 * scenario.noise, ends=0.6)
    shared = np.exp(day), outage
    arms = [
        [
            _host(generator, scenario, shared, life, one, share)
            for life, one in zip(lives, harms, strict=True)
        ]
        for lives, harms, share in (
            (_candidates(scenario, shape), _harms(scenario, harm, hit), scenario.share),
            (
                _baselines(scenario, shape),
                [NONE] * (scenario.hosts + scenario.joins),
                1 - scenario.share,
            ),
        )
    ]
    stacked = [
        {name: np.stack([host[name] for host in hosts], axis=1) for name in hosts[0]}
        for hosts in arms
    ]
    return Fleet(scenario.share, *stacked)


def rehearsal(name: str, size: tuple[int, int, int]) -> Fleet:
    """Draw A/A windows for the rehearsal of a scenario: both arms are old processes."""
    scenario = SCENARIOS[REHEARSED_AS.get(name, name)]
    calm = replace(scenario, cold=0.0, joins=0, replaced=False, sick=None, share=0.5)
    return simulate(calm, NONE, size)


def _harms(scenario: Scenario, harm: Harm, hit: int | None) -> list[Harm]:
    bad = scenario.hosts if hit is None else hit
    return [harm] * bad + [NONE] * (scenario.hosts - bad)


def _candidates(scenario: Scenario, shape: tuple[int, int]) -> list[Life]:
    """Return fresh processes. With ``replaced``, the last host is replaced half-way."""
    minutes = np.broadcast_to(np.arange(shape[1], dtype=float), shape)
    there = np.ones((scenario.hosts, *shape))
    ages = [minutes] * scenario.hosts
    if scenario.replaced:
        middle = shape[1] // 2
        there[-1, :, middle : middle + 3] = 0
        ages[-1] = np.where(minutes < middle + 3, minutes, minutes - middle - 3)
    parts = there / there.sum(axis=0)
    parts = _with_sticky(parts, scenario.sticky, 0)
    last = scenario.hosts - 1
    return [
        Life(parts[i], ages[i], cron=scenario.cron and i == last) for i in range(scenario.hosts)
    ]


def _baselines(scenario: Scenario, shape: tuple[int, int]) -> list[Life]:
    """Return old processes. Hosts that join are fresh processes after half of the time."""
    minutes = np.broadcast_to(np.arange(shape[1], dtype=float), shape)
    middle = shape[1] // 2
    there = np.ones((scenario.hosts + scenario.joins, *shape))
    there[scenario.hosts :, :, :middle] = 0
    parts = _with_sticky(there / there.sum(axis=0), scenario.sticky, 0)
    lives = []
    for i in range(len(parts)):
        age = minutes + 1e4 if i < scenario.hosts else np.maximum(minutes - middle, 0.0)
        sick = scenario.sick if i == 0 and scenario.sick else (1.0, 1.0)
        lives.append(Life(parts[i], age, cron=scenario.cron and i == 1, sick=sick))
    return lives


def _with_sticky(parts: Floats, share: float, host: int) -> Floats:
    """Give one host a user who sends ``share`` of all requests of its arm."""
    rest = parts * (1 - share)
    rest[host] += share
    return rest


def _host(
    generator: np.random.Generator,
    scenario: Scenario,
    shared: tuple[Floats, Floats],
    life: Life,
    harm: Harm,
    share: float,
) -> Host:
    load, outage = shared
    shape, noise = load.shape, scenario.noise
    there = onset(harm, shape[1])
    own = generator.normal(size=(shape[0], 1)) * 0.007 * noise
    walk = own + np.cumsum(scenario.drift * noise * generator.standard_t(6, size=shape), axis=1)
    cold = 1 + scenario.cold * np.exp(-life.age / scenario.fades)
    job = ((np.arange(shape[1]) % CRON_EVERY) < CRON_LASTS) * float(life.cron)
    mean = 60 * scenario.rate * share * life.part * load * harm.throughput**there
    n = generator.poisson(mean * generator.gamma(400, 1 / 400, size=shape))
    n = np.where(life.part > 0, np.maximum(n, 3), 100)
    slow = np.exp(walk + 0.02 * noise * generator.normal(size=shape)) * cold * load**0.2
    slow *= (1 + 0.1 * job) * harm.latency**there * life.sick[1]
    values = _latencies(generator, slow, harm, n)
    for name in BASE_RATES:
        hurt = outage * life.sick[0] if name == "errors_5xx" else np.ones(shape)
        factor = getattr(harm, name) ** there * hurt * np.exp(1.5 * own)
        values[name] = _events(generator, BASE_RATES[name] * factor, CLUSTER[name] * noise, n)
    parts = life.part * scenario.hosts
    jitter = np.exp(2 * walk + 0.03 * noise * generator.normal(size=shape))
    values["cpu"] = 30 * (load * parts) ** 0.8 * jitter * (1 + 0.6 * job) * harm.cpu**there
    values["memory"] = _memory(generator, life, harm, noise)
    values["throughput"] = n.astype(float)
    gone = holes(generator, shape, 0.015) + np.where(life.part > 0, 0.0, np.nan)
    return {name: value + gone for name, value in values.items()}


def _latencies(generator: np.random.Generator, slow: Floats, harm: Harm, n: Ints) -> Host:
    there = onset(harm, n.shape[1])
    quantiles = [(place / (1 - place)) ** (1 / SHAPE) for place in spacings(generator, n)]
    p50, p90, p99 = (MEDIAN_MS * slow * place for place in quantiles)
    first, second = (gamma_function(1 + k / SHAPE) * gamma_function(1 - k / SHAPE) for k in (1, 2))
    relative = np.sqrt(second / first**2 - 1)
    drawn = 1 + relative / np.sqrt(n) * generator.normal(size=n.shape)
    mean = MEDIAN_MS * slow * first * drawn * (1 + 0.05 * (harm.tail - 1) * there)
    p99 = p99 * harm.tail**there * np.exp(0.03 * generator.normal(size=n.shape))
    spread = np.log(p90 / p50) / 1.2816
    named = {"latency_mean": mean, "latency_p50": p50, "latency_p90": p90, "latency_p99": p99}
    return named | {"spread": spread}


def _events(generator: np.random.Generator, rate: Floats, cluster: float, n: Ints) -> Floats:
    """Draw beta-binomial events with this intra-class correlation."""
    rate = np.clip(rate, 1e-6, 0.9)
    whole = 1 / cluster - 1
    chance = generator.beta(rate * whole, (1 - rate) * whole)
    return generator.binomial(n, chance).astype(float)


def _memory(generator: np.random.Generator, life: Life, harm: Harm, noise: float) -> Floats:
    """Draw memory in per cent: the host's level, a fresh process's growth to it, and a sawtooth."""
    runs, periods = life.age.shape
    level = 46 + 0.5 * noise * generator.normal(size=(runs, 1))
    grown = 1 - FRESH_MEMORY * np.exp(-life.age / FRESH_MINUTES)
    saw = 0.6 * ((life.age / generator.uniform(4, 11, size=(runs, 1))) % 1.0)
    own = 0.15 * noise * generator.normal(size=(runs, periods))
    return level * grown + saw + own + harm.leak * np.cumsum(onset(harm, periods))
