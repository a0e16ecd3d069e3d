"""Evidence in the first period without metrics that these are missing, not only late.

An instance may report in its health check up to when it has sent its metrics. A wrong clock shows
at once. A source that no longer returns the past of a metric has lost it.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from canary.errors import SourceError, TrafficError
from canary.formatting import listed
from canary.model import Arm
from canary.policy import Metric
from canary.rollout.context import Context
from canary.rollout.progress import Progress
from canary.sources.queries import source_queries
from canary.traffic.base import Status

LEAST_CLOCK = 5
"""The smallest error of a clock that counts, in seconds; an HTTP date has whole seconds."""
ASKED, KNOWN = 6, 3
"""Earlier periods that are read again. If fewer than ``KNOWN`` had values, the periods before the
canary are read."""


def wrong_clock(status: Status, colour: str, period: int) -> str:
    """Return a sentence about a clock that differs from the live servers' by a period or more."""
    live = [status.clocks[name] for name in status.servers(status.live) if name in status.clocks]
    usual = median(live) if live else 0.0
    for name in status.servers(colour) if live else ():
        ahead = status.clocks.get(name, usual) - usual
        if abs(ahead) >= max(period, LEAST_CLOCK):
            where = "ahead of" if ahead > 0 else "behind"
            return (
                f"The clock of {name} is {abs(ahead):.0f} s {where} the live servers', so its "
                "metrics belong to other periods"
            )
    return ""


def unsent(
    context: Context, progress: Progress, hosts: Sequence[str], look: int, status: Status | None
) -> str:
    """Return a sentence about hosts that report themselves that they have not sent their metrics.

    They get another half period, as a source without a response does.
    """
    if status is None or not _behind(progress, hosts, look, status):
        return ""
    context.sleep_until(context.timing.until(look) + context.timing.period / 2)
    try:
        behind = _behind(progress, hosts, look, context.ports.traffic.status())
    except TrafficError as error:
        context.warn(str(error))
        return ""
    if not behind:
        return ""
    return (
        f"{listed(behind)} of the candidate served requests, and says itself that it has not sent "
        "the metrics of the last period. Is its agent running, and does it reach the source?"
    )


def _behind(progress: Progress, hosts: Sequence[str], look: int, status: Status) -> list[str]:
    """Return the hosts that report that they have not sent their metrics up to ``look``."""
    servers = progress.pairing.servers.items()
    said = {host: status.metrics_until.get(server, look) for server, (_, host) in servers}
    return [host for host in hosts if said.get(host, look) < look]


def forgotten(context: Context, progress: Progress, metrics: Sequence[Metric]) -> str:
    """Return a sentence about a metric that the source no longer returns, not even its past.

    A metric that is late, or that had no events, keeps its past.
    """
    for metric in metrics:
        times = _known(progress, metric.name)
        if len(times) < KNOWN:
            first = progress.steps[0].start
            times = [first - number * progress.period for number in range(1, ASKED + 1)]
        if _empty(context, progress, metric, min(times), max(times) + progress.period):
            source = context.ports.source.describe()
            return f"{source} returns no {metric.name} any more, not even that of the past"
    return ""


def _known(progress: Progress, metric: str) -> list[int]:
    """Return the newest periods for which the source gave a value of the live release."""
    times = {
        time
        for one in progress.readings.series()
        if one.metric == metric and one.arm is Arm.BASELINE
        for time, value in zip(one.times, one.values, strict=True)
        if value is not None
    }
    return sorted(times)[-ASKED:]


def _empty(context: Context, progress: Progress, metric: Metric, start: int, end: int) -> bool:
    arms = {Arm.BASELINE: progress.pairing.baseline}
    try:
        found = context.ports.source.read(source_queries((metric,)), arms, start, end)
    except SourceError as error:
        context.warn(str(error))
        return False
    return all(value is None for one in found for value in one.values)
