"""Judge what is already measured: a past window, or a recording again. No proxy is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from canary.errors import SourceError
from canary.judge import judge
from canary.model import Arm, Judgement, Recording, Release, Step, Verdict
from canary.policy import Policy
from canary.sources.base import Source, periods
from canary.sources.queries import source_queries


@dataclass(frozen=True, slots=True)
class Window:
    """What to compare: two arms over [start, end), the candidate with ``share`` of both's traffic.

    ``equal_footing``: instances carried the same load, so CPU and memory compare too.
    """

    start: int
    end: int
    arms: Mapping[Arm, Release]
    share: float
    equal_footing: bool


def known_later(policy: Policy) -> tuple[Policy, tuple[str, ...]]:
    """Return the policy without what only the proxy counts, while a canary runs; and its names."""
    left_out = tuple(m.name for m in policy.metrics if m.counter is not None)
    kept = tuple(metric for metric in policy.metrics if metric.name not in left_out)
    if not kept:
        raise SourceError(
            f"Only the proxy counts {', '.join(left_out)}: replay a recording instead"
        )
    slos = tuple(slo for slo in policy.slos if slo.metric not in left_out)
    return policy.model_copy(update={"metrics": kept, "slos": slos}), left_out


def collect(environment: str, policy: Policy, source: Source, window: Window) -> Recording:
    """Read a past window into a recording."""
    queries = source_queries(policy.metrics)
    series = source.read(queries, window.arms, window.start, window.end)
    if not any(value is not None for one in series for value in one.values):
        raise SourceError(f"{source.describe()} holds no value in this window")
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


def judge_looks(policy: Policy, recording: Recording) -> tuple[Judgement, ...]:
    """Judge at every look, as the canary did or would have; FAIL ends it, as it ended that.

    A look sees no data after it, but a retrospective has no looks inside its warm-up.
    """
    if not recording.steps:
        return ()
    warm = recording.steps[0].start + policy.warmup
    found: list[Judgement] = []
    for look in recording.looks:
        if look < warm:
            continue
        found.append(judge(policy, recording, look))
        if found[-1].verdict is Verdict.FAIL:
            break
    return tuple(found)
