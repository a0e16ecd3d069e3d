"""Checks before a canary that the live colour's metrics arrive, and how steadily."""

from __future__ import annotations

from canary.errors import SourceError
from canary.model import Arm, Release, Series
from canary.policy import Metric
from canary.rollout.context import Context
from canary.rollout.timing import Timing
from canary.sources.queries import source_queries

FLOWING = 12
"""Metrics count as flowing if one of this many newest periods holds a value."""
FIRST_METRICS_SECONDS = 30.0
"""Time limit for the first metrics of a new environment, or three periods."""
STEADY = 6
"""A metric is steady if each of this many newest periods holds a value."""


def first_metrics(timing: Timing) -> float:
    """Return for how many seconds to wait for an instance's first metrics."""
    return timing.settle + max(FIRST_METRICS_SECONDS, 3 * timing.period)


def flowing(context: Context, live: str) -> tuple[str, ...]:
    """Check that the live colour's metrics arrive, and return its instances.

    Without metrics there could be no verdict.
    """
    source, timing = context.ports.source, context.timing
    instances = source.instances(live)
    if not instances:
        raise SourceError(f"{source.describe()} lists no {live} instance. {source.found_by(live)}")
    wait = first_metrics(timing)
    patience = context.now() + wait
    silent = _missing(context, live, instances)
    while any(metric.critical for metric in silent) and context.now() < patience:
        if all(event.kind != "waiting" for event in context.events):
            context.say("waiting", f"{_unsent(live, silent)} yet; waiting up to {wait:.0f} s")
        context.sleep_until(min(patience, context.now() + timing.period))
        silent = _missing(context, live, instances)
    if not silent:
        return instances
    sentence = (
        f"{_unsent(live, silent)} in the last {FLOWING} periods ({source.describe()}). Is the "
        "name right, and is there traffic?"
    )
    if any(metric.critical for metric in silent):
        raise SourceError(sentence)
    context.warn(sentence)
    return instances


def _missing(context: Context, live: str, instances: tuple[str, ...]) -> list[Metric]:
    """Return the metrics that no instance of the live colour reported recently."""
    found = _newest(context, Release("live", "", live, instances), FLOWING)
    reported = {series.metric for series in found if any(v is not None for v in series.values)}
    return [metric for metric in context.policy.metrics if _silent(metric, reported)]


def _unsent(live: str, silent: list[Metric]) -> str:
    return f"No {live} instance reported {', '.join(metric.name for metric in silent)}"


def _silent(metric: Metric, reported: set[str]) -> bool:
    return not (metric.muted or metric.counter is not None or metric.name in reported)


def steady(context: Context, live: Release) -> frozenset[str]:
    """Return the metrics that the live release reported in each of the newest periods."""
    times: dict[str, set[int]] = {}
    try:
        found = _newest(context, live, STEADY)
    except SourceError:
        return frozenset()  # then no metric is expected to be reported steadily
    for series in found:
        there = (time for time, v in zip(series.times, series.values, strict=True) if v is not None)
        times.setdefault(series.metric, set()).update(there)
    return frozenset(name for name, seen in times.items() if len(seen) >= STEADY)


def _newest(context: Context, live: Release, periods: int) -> tuple[Series, ...]:
    """Return the metrics of the live release in the newest periods."""
    timing = context.timing
    end = timing.look(context.now())
    asked, start = source_queries(context.policy.metrics), end - periods * timing.period
    return context.ports.source.read(asked, {Arm.BASELINE: live}, start, end)
