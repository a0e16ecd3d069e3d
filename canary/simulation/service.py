"""The simulated service: its users, and the metrics of each host in each period."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

SPREAD = 0.7
"""Standard deviation of the log of one request's latency."""
P95 = 1.645
RATE = 300.0
"""Requests per second, on average."""
TREND = 1200.0
"""Seconds in which load and latency rise and fall."""


MEASURED = ("errors", "latency", "latency_p95", "memory", "orders", "requests")
"""What each host measures."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release's behaviour: latency in milliseconds, memory in megabytes, shares of requests."""

    name: str
    commit: str
    latency: float = 42.0
    errors: float = 0.002
    orders: float = 0.08
    memory: float = 310.0


@dataclass(slots=True)
class Service:
    """The hosts, the release on each colour, and the users, who are the same on every machine."""

    seed: int
    period: int
    installed: dict[str, Release] = field(default_factory=dict)

    def measured(self, host: str, start: int, share: float) -> dict[str, float]:
        """Return the metrics of ``host`` in the period that begins at ``start``."""
        draw = self._random(host, start)
        release = self.installed[host.rpartition("-")[0]]
        count = float(round(_about(draw, self.demand(start) * self.period * share)))
        if count <= 0:
            return {"requests": 0.0}
        median = self._median(host, start)
        mean = _mean(draw, median, count)
        tail = median * math.exp(P95 * SPREAD + draw.gauss(0, 2.1 * SPREAD / math.sqrt(count)))
        return {
            "requests": count,
            "latency": mean,
            "latency_p95": tail,
            "errors": _events(draw, count * release.errors),
            "orders": _events(draw, count * release.orders),
            "memory": release.memory * self._host(host) + draw.gauss(0, 1.5),
        }

    def failures(self, host: str, since: float, requests: float) -> float:
        """Return how many of the requests since ``since`` fail at the proxy."""
        release = self.installed[host.rpartition("-")[0]]
        draw = random.Random(f"{self.seed} {host} failures {since}")  # noqa: S311 - repeatable
        return _events(draw, requests * release.errors)

    def response_time(self, host: str, since: float, requests: float) -> float:
        """Return the mean response time of these requests at the proxy, in milliseconds."""
        draw = random.Random(f"{self.seed} {host} times {since}")  # noqa: S311 - repeatable
        median = self._median(host, int(since // self.period) * self.period)
        return _mean(draw, median, max(requests, 1.0))

    def demand(self, start: int) -> float:
        """Return the requests per second of all users."""
        wave = 1 + 0.2 * math.sin(2 * math.pi * start / TREND)
        return RATE * wave * math.exp(self._random("demand", start).gauss(0, 0.05))

    def _median(self, host: str, start: int) -> float:
        release = self.installed[host.rpartition("-")[0]]
        return release.latency * self._busyness(start) * self._host(host)

    def _busyness(self, start: int) -> float:
        """Return the factor by which every host is slower than usual, whatever its release."""
        wave = 0.15 * math.sin(2 * math.pi * start / TREND)
        return math.exp(wave + self._random("busyness", start).gauss(0, 0.04))

    def _host(self, host: str) -> float:
        return math.exp(self._random(host, 0).gauss(0, 0.005))

    def _random(self, what: str, start: int) -> random.Random:
        return random.Random(f"{self.seed} {what} {start}")  # noqa: S311 - repeatable, not secret


def _mean(draw: random.Random, median: float, count: float) -> float:
    """Draw the mean of a number of latencies."""
    return median * math.exp(SPREAD**2 / 2 + draw.gauss(0, SPREAD / math.sqrt(count)))


def _about(draw: random.Random, mean: float) -> float:
    return draw.gauss(mean, math.sqrt(mean)) if mean > 0 else 0.0


def _events(draw: random.Random, mean: float) -> float:
    """Draw a number of independent events."""
    if mean > 50:
        return float(max(0, round(_about(draw, mean))))
    count, left = 0, math.exp(-mean)
    product = draw.random()
    while product > left:
        count += 1
        product *= draw.random()
    return float(count)
