"""Judges traffic that is split by other means: ``canary run --observe``.

The proxy is only read. Nothing is installed or promoted, no weight is set, no lock is taken. If the
split changes, the judgement follows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from canary.environment import other_colour
from canary.errors import TrafficError
from canary.model import Judgement, Release, Verdict
from canary.rollout.context import Context
from canary.rollout.decision import Decision, decide
from canary.rollout.engine import Known
from canary.rollout.flow import flowing
from canary.rollout.identity import served
from canary.rollout.outcome import Ending
from canary.rollout.prepare import calibrated, paired, progress_of
from canary.rollout.progress import Progress
from canary.rollout.standby import require_healthy
from canary.rollout.steps import StepLoop
from canary.rollout.watch import Watch
from canary.traffic.base import Status, Traffic

CHANGED, CHANGED_POINTS = 0.1, 0.01
"""A split has changed if the candidate's share differs by this part of it and this many points."""


class ReadOnly:
    """A proxy of which only the status is read."""

    def __init__(self, traffic: Traffic) -> None:
        self.status = traffic.status
        self.describe = traffic.describe

    def set(
        self,
        candidate: str,  # noqa: ARG002 - the protocol's
        share: float,  # noqa: ARG002
        lease: int,  # noqa: ARG002
        matched: str | None = None,  # noqa: ARG002
    ) -> Status:
        raise _refused()

    def renew(self, lease: int) -> None:  # noqa: ARG002
        raise _refused()

    def release(self) -> Status:
        raise _refused()

    def promote(self, colour: str, *, leased: bool = False) -> Status:  # noqa: ARG002
        raise _refused()

    def standby(self, colour: str, *, may: bool) -> Status:  # noqa: ARG002
        raise _refused()


class NoHooks:
    """The hooks of a canary that only observes: there are none."""

    def has(self, name: str) -> bool:  # noqa: ARG002 - the protocol's
        return False

    def run(self, name: str, values: Mapping[str, str]) -> str:  # noqa: ARG002
        return ""


def observe_only(context: Context, known: Known) -> Ending:
    """Judge the candidate at its present share, until there is a verdict."""
    status = context.ports.traffic.status()
    known.live = status.live
    colour = other_colour(context.request.colours, status.live)
    if not status.weight(colour):
        raise TrafficError(
            f"{colour} carries no traffic, so there is nothing to judge. Send it a share of the "
            "traffic first, or let canary do that: canary run --candidate REF"
        )
    require_healthy(status, status.live)
    calibrated(context, len(flowing(context, status.live)))
    context.timing = replace(context.timing, steps=(status.share(colour),))
    arms = (_release(status, status.live), _release(status, colour))
    known.progress = progress_of(context, paired(context, status, *arms), dict(status.releases))
    ending = _begin(context, known.progress, status).run()
    return ending or Ending(Verdict.PASS, known.progress.judgements[-1].reason)


def _release(status: Status, colour: str) -> Release:
    return Release(served(status, colour).release or colour, "", colour)


def _begin(context: Context, progress: Progress, status: Status) -> _Looks:
    """Begin with the next whole period."""
    start = context.timing.boundary(context.now())
    progress.readings.end = start
    progress.begin(start, status)
    share = status.share(progress.pairing.candidate.colour)
    context.say("step", f"{progress.pairing.candidate.colour} carries {share:.1%} of traffic")
    context.sleep_until(start)
    progress.counted.start(context.ports.traffic.status())
    return _Looks(context, progress, _Onlooker(context, progress), 0)


class _Onlooker(Watch):
    """Watches traffic that this canary does not control, so there is no lease to renew."""

    def _overruled(self, status: Status) -> Ending | None:
        colour = self._colour
        if status.live == colour:
            return Ending(Verdict.INCONCLUSIVE, f"{colour} was promoted while it was observed")
        if not status.weight(colour):
            return Ending(Verdict.INCONCLUSIVE, f"{colour} carries no traffic any more")
        return None

    def _overloaded(self, status: Status) -> Ending | None:  # noqa: ARG002 - any share is meant
        return None


class _Looks(StepLoop):
    """The only step. It lasts until the verdict, at any split."""

    def _judge(self, look: int) -> Decision:
        decision = super()._judge(look)
        if self._watch.status is not None:
            self._follow(self._watch.status)
        return decision

    def _count(self, status: Status, look: int) -> None:
        self._progress.counted.add(status, len(self._progress.steps) - 1, look)

    def _follow(self, status: Status) -> None:
        """Record a new step if the split has changed."""
        progress, context = self._progress, self._context
        colour = progress.pairing.candidate.colour
        real, before = status.share(colour), progress.steps[-1].candidate
        start = context.timing.boundary(context.now())
        small = abs(real - before) <= max(CHANGED * before, CHANGED_POINTS)
        if small or not status.weight(colour) or start <= progress.steps[-1].start:
            return
        progress.begin(start, status)
        context.say("step", f"{colour} carries {real:.1%} of traffic now")

    def _decide(self, judgement: Judgement, served: float, elapsed: float) -> Decision:
        return decide(self._context.timing, judgement, 0, served, elapsed)

    def _allowed(self, decision: Decision) -> Decision:
        return decision


def _refused() -> TrafficError:
    return TrafficError("canary run --observe does not change traffic")
