"""A policy for little traffic: hours instead of minutes, and margins that fit few requests.

With few requests a short period shows little, so periods are longer. The newest ones can still
withhold PASS. The acute channel watches them too, so a catastrophe fails long before the end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from canary.formatting import duration, number
from canary.judge.acute import EVENTS_PERIODS
from canary.offline.plan.workload import Workload
from canary.policy import Margin, Metric, Policy

LOW_RATE = 10.0
"""Requests per second up to which traffic counts as low."""
PER_PERIOD = 700.0
"""Requests of each arm that a period should hold."""
MINUTE, HOUR, DAY = 60, 3600, 86_400
LONGEST_PERIOD = HOUR
HOURS, PERIODS = 8, 60
"""Length of the longest run: this many hours, and at least this many periods."""
FEWEST_PERIODS = 10
TAIL = 0.95
LATENCY, TAILS, FEWER, NEGLIGIBLE = 0.10, 0.20, 0.20, 0.005
"""The smallest margins: of latencies, their tails, fewer events, and more events per request."""


@dataclass(frozen=True, slots=True)
class LowTraffic:
    """Changes to a policy for little traffic.

    Attributes:
        times: new values of the policy's own keys, as a policy file writes them.
        metrics: new values of the metrics' keys, by metric.
        policy: the changed policy.
    """

    rate: float
    times: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, str]]
    policy: Policy

    @property
    def sentence(self) -> str:
        """The proposal, as a sentence."""
        times = ", ".join(f"{key}: {_written(value)}" for key, value in self.times.items())
        margins = "; ".join(
            f"{name} {self._margins(changes)}" for name, changes in self.metrics.items()
        )
        guard = duration(EVENTS_PERIODS * self.policy.period)
        return (
            f"With {self.rate:g} requests per second, judge for hours: {times}"
            f"{'; ' + margins if margins else ''}; a catastrophe still fails after {guard}"
        )

    def _margins(self, changes: Mapping[str, str]) -> str:
        found = []
        for key, value in changes.items():
            words = f"{key}: {value}"
            if key == "negligible":
                words += f" ({number(NEGLIGIBLE * self.rate * DAY)} more events a day)"
            found.append(words)
        return ", ".join(found)

    def changed(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return a policy file's content with these changes."""
        metrics = [
            {**metric, **self.metrics.get(metric["name"], {})} for metric in document["metrics"]
        ]
        return {**document, **self.times, "metrics": metrics}


def low_traffic(policy: Policy, workload: Workload) -> LowTraffic | None:
    """Return a policy for little traffic, or None if the traffic is not low."""
    if workload.rate > LOW_RATE:
        return None
    period = _period(policy, workload)
    longest = max(HOURS * HOUR, PERIODS * period)
    times = {
        "period": _time(period),
        "warmup": _time(-(-policy.warmup // period) * period),
        "minimum": _time(max(HOUR, FEWEST_PERIODS * period, policy.minimum)),
        "maximum": _time(max(longest, policy.maximum)),
        "steps": ["50%"],
    }
    metrics = {metric.name: wider for metric in policy.metrics if (wider := _wider(metric))}
    document = policy.model_dump(exclude_unset=True)
    found = LowTraffic(workload.rate, times, metrics, policy)
    changed = Policy.model_validate(found.changed(document))
    return LowTraffic(workload.rate, times, metrics, changed)


def _period(policy: Policy, workload: Workload) -> int:
    minutes = math.ceil(PER_PERIOD / (workload.rate / 2) / MINUTE)
    return max(min(minutes * MINUTE, LONGEST_PERIOD), policy.period)


def _wider(metric: Metric) -> dict[str, str]:
    """Return wider margins for a metric whose own margins too few requests could never rule out."""
    least, own = _least(metric), metric.limit
    if metric.kind == "count" and metric.per != "time" and metric.harmful != "decrease":
        wide = metric.negligible_rate < NEGLIGIBLE
        return {"negligible": f"{NEGLIGIBLE:.1%}"} if wide else {}
    if least is None or own.scale == "points" or own.value >= least:
        return {}
    return {"margin": str(Margin(least))}


def _least(metric: Metric) -> float | None:
    if metric.kind in ("latency", "quantile"):
        return TAILS if (metric.quantile or 0.0) >= TAIL else LATENCY
    return FEWER if metric.kind == "count" and metric.harmful == "decrease" else None


def _time(seconds: int) -> str:
    for unit, name in ((HOUR, "h"), (MINUTE, "m")):
        if seconds and seconds % unit == 0:
            return f"{seconds // unit}{name}"
    return f"{seconds}s"


def _written(value: Any) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, list) else str(value)
