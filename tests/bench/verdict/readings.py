"""The data of a world: two arms with ten metrics for many canaries, and the harm.

Arrays are ``[canaries, periods]``; NaN is a missing point. Both worlds are frozen: they are
committed before the judge is tuned on them, and a change to them is a new benchmark.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from canary.policy import Policy

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LATENCIES = ("latency_mean", "latency_p50", "latency_p90", "latency_p99")
COUNTS = ("errors_5xx", "errors_4xx", "checkouts")
METRICS = (*LATENCIES, *COUNTS, "cpu", "memory", "throughput")

FIRST_TEST_SEED = 1_000_000
"""Seeds below 10,000 are for tuning. Seeds from here on are only for the published scoreboard."""


@dataclass(frozen=True, slots=True)
class Readings:
    """One metric of both arms.

    ``candidate_samples`` and ``baseline_samples`` are requests; ``*_spread`` is the standard
    deviation of the log of one request's latency, as a source reads it off p90 and p50.
    """

    candidate: Floats
    baseline: Floats
    candidate_samples: Floats
    baseline_samples: Floats
    candidate_spread: Floats | None = None
    baseline_spread: Floats | None = None


@dataclass(frozen=True, slots=True)
class Canaries:
    """Many canaries of one scenario; ``share`` is the candidate's intended share of traffic."""

    share: float
    metrics: dict[str, Readings]

    @property
    def runs(self) -> int:
        return len(self.metrics["cpu"].candidate)

    @property
    def periods(self) -> int:
        return int(self.metrics["cpu"].candidate.shape[1])


@dataclass(frozen=True, slots=True)
class Harm:
    """The harm of the candidate: factors, and a leak in points per minute.

    ``onset`` is the share of the run after which it starts. Late harm should be found ``within``
    this many periods.
    """

    name: str = "none"
    latency: float = 1.0
    tail: float = 1.0
    errors_5xx: float = 1.0
    errors_4xx: float = 1.0
    checkouts: float = 1.0
    cpu: float = 1.0
    leak: float = 0.0
    throughput: float = 1.0
    onset: float = 0.0
    within: int = 15
    affects: tuple[str, ...] = field(default=METRICS)


HARMS = (
    Harm("latency x1.05", latency=1.05, affects=LATENCIES),
    Harm("latency x1.10", latency=1.10, affects=LATENCIES),
    Harm("latency x1.25", latency=1.25, affects=LATENCIES),
    Harm("p99 tail x1.5", tail=1.5, affects=("latency_mean", "latency_p99")),
    Harm("5xx x1.5", errors_5xx=1.5, affects=("errors_5xx",)),
    Harm("5xx x2", errors_5xx=2.0, affects=("errors_5xx",)),
    Harm("5xx x5", errors_5xx=5.0, affects=("errors_5xx",)),
    Harm("cpu x1.10", cpu=1.10, affects=("cpu",)),
    Harm("leak 0.05/min", leak=0.05, affects=("memory",)),
    Harm("leak 0.2/min", leak=0.2, affects=("memory",)),
    Harm("throughput x0.9", throughput=0.9, affects=("throughput",)),
    Harm("checkouts x0.8", checkouts=0.8, affects=("checkouts",)),
)
LATE = (
    Harm("late latency x1.25", latency=1.25, onset=0.5, within=12, affects=LATENCIES),
    Harm("late latency x1.10", latency=1.10, onset=0.5, affects=LATENCIES),
    Harm("late 5xx x5", errors_5xx=5.0, onset=0.5, affects=("errors_5xx",)),
    Harm("late 5xx x2", errors_5xx=2.0, onset=0.5, affects=("errors_5xx",)),
    Harm("late cpu x1.25", cpu=1.25, onset=0.5, affects=("cpu",)),
)
MARGINS = (
    Harm("latency at the margin", latency=1.05, affects=LATENCIES),
    Harm("latency at twice the margin", latency=1.10, affects=LATENCIES),
    Harm("p99 at the margin", tail=1.10, affects=("latency_p99",)),
    Harm("p99 at twice the margin", tail=1.20, affects=("latency_p99",)),
    Harm("5xx at the margin", errors_5xx=1.5, affects=("errors_5xx",)),
    Harm("5xx at twice the margin", errors_5xx=2.0, affects=("errors_5xx",)),
    Harm("4xx at the margin", errors_4xx=1.15, affects=("errors_4xx",)),
    Harm("4xx at twice the margin", errors_4xx=1.30, affects=("errors_4xx",)),
    Harm("cpu at the margin", cpu=1.10, affects=("cpu",)),
    Harm("cpu at twice the margin", cpu=1.20, affects=("cpu",)),
    Harm("throughput at the margin", throughput=0.95, affects=("throughput",)),
    Harm("throughput at twice the margin", throughput=0.90, affects=("throughput",)),
    Harm("checkouts at the margin", checkouts=0.85, affects=("checkouts",)),
    Harm("checkouts at twice the margin", checkouts=0.70, affects=("checkouts",)),
    Harm("leak at the margin", leak=0.1, affects=("memory",)),
    Harm("leak at twice the margin", leak=0.2, affects=("memory",)),
)
NONE = Harm()


def policy(periods: int) -> Policy:
    """Return the benchmark's policy, with the margins and weights of the study that it follows."""
    return Policy.model_validate(
        {
            "version": 1,
            "period": 60,
            "warmup": 0,
            "minimum": 60 * max(10, periods // 3),
            "maximum": 60 * periods,
            "metrics": [
                {"name": "latency_mean", "kind": "latency", "margin": "5%", "weight": 8},
                _quantile("p50", "5%", 5),
                _quantile("p90", "5%", 5),
                _quantile("p99", "10%", 12),
                {"name": "errors_5xx", "kind": "count", "margin": "x1.5", "weight": 20},
                {"name": "errors_4xx", "kind": "count", "margin": "x1.15", "weight": 8},
                {
                    "name": "checkouts",
                    "kind": "count",
                    "harm": "decrease",
                    "margin": "15%",
                    "weight": 15,
                },
                {"name": "cpu", "kind": "gauge", "margin": "10%", "weight": 10},
                {
                    "name": "memory",
                    "kind": "level",
                    "margin": "4 points",
                    "drift": "0.1 points per minute",
                    "weight": 10,
                },
                {"name": "throughput", "kind": "throughput", "margin": "5%", "weight": 7},
            ],
        }
    )


def _quantile(statistic: str, margin: str, weight: int) -> dict[str, object]:
    name = f"latency_{statistic}"
    return {
        "name": name,
        "kind": "quantile",
        "statistic": statistic,
        "margin": margin,
        "weight": weight,
    }


def onset(harm: Harm, periods: int) -> Floats:
    """Return 1 in the periods with harm, else 0."""
    return (np.arange(periods) >= harm.onset * periods).astype(float)


def spacings(generator: np.random.Generator, n: Ints) -> tuple[Floats, Floats, Floats]:
    """Draw the 50th, 90th and 99th percentile of ``n`` uniform values, jointly and exactly.

    Order statistics of uniforms have beta spacings (David and Nagaraja 2003, section 2.5).
    """
    ranks = [np.maximum((share * n).astype(np.int64), 1) for share in (0.5, 0.9, 0.99)]
    place, before = np.zeros(n.shape), np.zeros(n.shape, dtype=np.int64)
    places = []
    for wanted in ranks:
        rank = np.minimum(np.maximum(wanted, before + 1), n)
        place = place + (1 - place) * generator.beta(rank - before, n - rank + 1)
        before = rank
        places.append(np.clip(place, 1e-9, 1 - 1e-9))
    return places[0], places[1], places[2]


def autoregressive(
    generator: np.random.Generator, shape: tuple[int, int], phi: float, deviation: float
) -> Floats:
    """Draw stationary AR(1) series with a lag-1 correlation and a marginal standard deviation."""
    noise = generator.normal(size=shape) * deviation
    series = np.empty(shape)
    series[:, 0] = noise[:, 0]
    for t in range(1, shape[1]):
        series[:, t] = phi * series[:, t - 1] + np.sqrt(1 - phi * phi) * noise[:, t]
    return series


def episodes(
    generator: np.random.Generator, shape: tuple[int, int], chance: float, ends: float = 0.5
) -> Floats:
    """Return 1 during bursts, which start with probability ``chance`` and end with ``ends``."""
    starts, stops = generator.random(shape) < chance, generator.random(shape) < ends
    inside = np.zeros(shape)
    inside[:, 0] = starts[:, 0]
    for t in range(1, shape[1]):
        inside[:, t] = np.where(inside[:, t - 1] > 0, ~stops[:, t], starts[:, t])
    return inside


def holes(generator: np.random.Generator, shape: tuple[int, int], share: float) -> Floats:
    """Return NaN for missing points, single ones and sometimes three in a row, else 0."""
    missing = generator.random(shape) < share
    gap = generator.random(shape[0]) < 0.1
    at = generator.integers(0, max(shape[1] - 3, 1), size=shape[0])
    rows = np.flatnonzero(gap)
    for offset in range(3):
        missing[rows, np.minimum(at[rows] + offset, shape[1] - 1)] = True
    return np.where(missing, np.nan, 0.0)
