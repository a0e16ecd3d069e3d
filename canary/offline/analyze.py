"""Read a past window into a recording, so that it can be judged without a proxy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from canary.errors import SourceError
from canary.model import Arm, Recording, Release, Step
from canary.policy import Policy
from canary.sources.base import Source, periods
from canary.sources.queries import source_queries


@dataclass(frozen=True, slots=True)
class Window:
    """Two arms over [start, end); the candidate has ``share`` of their traffic.

    ``equal_footing``: every instance carried the same load, so CPU and memory are compared too.
    """

    start: int
    end: int
    arms: Mapping[Arm, Release]
    share: float
    equal_footing: bool


def known_later(policy: Policy) -> tuple[Policy, tuple[str, ...]]:
    """Return the policy without the proxy's counters, and the names of these counters."""
    left_out = tuple(m.name for m in policy.metrics if m.counter is not None)
    kept = tuple(metric for metric in policy.metrics if metric.name not in left_out)
    if not kept:
        raise SourceError(
            f"Only the proxy counts {', '.join(left_out)}. Replay a recording of a canary instead"
        )
    slos = tuple(slo for slo in policy.slos if slo.metric not in left_out)
    return policy.model_copy(update={"metrics": kept, "slos": slos}), left_out


def covering(policy: Policy, recording: Recording) -> Policy:
    """Return the policy with a longest run that holds all of a longer past window.

    A canary ends at its first look at or after the maximum. So a recording with more such looks is
    of a past window. The recording of a canary keeps its policy, and replays to the same numbers.
    """
    if not recording.steps or not recording.looks[1:]:
        return policy
    before, last = (look - recording.steps[0].start for look in recording.looks[-2:])
    return policy if before < policy.maximum else policy.model_copy(update={"maximum": last})


def collect(environment: str, policy: Policy, source: Source, window: Window) -> Recording:
    """Read a past window into a recording."""
    queries = source_queries(policy.metrics)
    series = source.read(queries, window.arms, window.start, window.end)
    if not any(value is not None for one in series for value in one.values):
        raise SourceError(f"{source.describe()} has no value in this window")
    first = -(-window.start // policy.period) * policy.period
    step = Step(first, window.share, 1 - window.share, window.equal_footing)
    return Recording(
        environment=environment,
        period=policy.period,
        baseline=window.arms[Arm.BASELINE],
        candidate=window.arms[Arm.CANDIDATE],
        steps=(step,),
        series=series,
        looks=tuple(t + policy.period for t in periods(first, window.end, policy.period)),
    )
