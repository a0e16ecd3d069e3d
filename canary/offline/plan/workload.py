"""The workload of an environment: its traffic, and how often events happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from canary.evidence.pairs import pairs_of
from canary.evidence.periods import judged_times, last_time
from canary.evidence.pooling import needs_samples
from canary.evidence.table import table_of
from canary.formatting import percent
from canary.model import Recording
from canary.policy import Policy

TYPICAL_EVENTS = 0.01
"""Assumed events per request of a count that was not measured."""


@dataclass(frozen=True, slots=True)
class Workload:
    """The workload of an environment.

    Attributes:
        rate: requests per second of both arms together, if they carry all traffic.
        events: events per request (or per instance and period) of each count, by metric.
        spread: standard deviation of the log of one request's latency.
        instances: of the candidate, and of the baseline.
    """

    rate: float
    events: Mapping[str, float] = field(default_factory=dict)
    spread: float = 0.7
    instances: tuple[int, int] = (1, 1)


def describe(policy: Policy, workload: Workload) -> str:
    """Return the traffic of a plan in words, and the rates of events that it assumes."""
    one, other = workload.instances
    text = f"With {workload.rate:g} requests per second on {one} + {other} instances"
    counts = [each for each in policy.metrics if each.kind == "count" and each.per != "time"]
    unknown = [each.name for each in counts if each.name not in workload.events]
    if not unknown:
        return text
    return (
        f"{text}, assuming {', '.join(unknown)} at {percent(TYPICAL_EVENTS)} of the "
        f"requests each (yours, if you know them: --events {unknown[0]}=0.1%)"
    )


def workload_of(policy: Policy, recording: Recording) -> Workload:
    """Measure the workload of a past canary."""
    table = table_of(policy, recording)
    times = judged_times(policy, recording, last_time(recording))
    events: dict[str, float] = {}
    rates, spreads, instances = [0.0], [], (1, 1)
    for metric in policy.metrics:
        pairs = pairs_of(metric, table, times)
        sides = (pairs.candidate, pairs.baseline)
        instances = (max(len(sides[0].hosts), 1), max(len(sides[1].hosts), 1))
        samples = [side.samples[pairs.both] for side in sides]
        total = float(np.nansum(samples[0]) + np.nansum(samples[1]))
        count = int(pairs.both.sum())
        if metric.kind == "count" and count:
            happened = sum(float(side.values[pairs.both].sum()) for side in sides)
            chances = total if needs_samples(metric) else float(count * sum(instances))
            events[metric.name] = happened / chances if chances else 0.0
        if needs_samples(metric) and count:
            rates.append(total / count / recording.period)
        spreads += [float(x) for side in sides for x in side.spread[np.isfinite(side.spread)]]
    spread = float(np.median(spreads)) if spreads else 0.7
    return Workload(max(rates), events, spread, instances)
