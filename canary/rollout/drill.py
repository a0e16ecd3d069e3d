"""``canary drill``: the proxy adds errors or a delay to the candidate, and the policy judges it.

Both colours run the releases that are installed on them, and nothing is promoted. The lease of the
candidate's weight also ends what the proxy adds.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from canary.environment import other_colour
from canary.errors import SourceError, TrafficError
from canary.formatting import duration, listed, plural
from canary.model import Finding, Release, Verdict
from canary.policy import LATENCY, Metric, Policy
from canary.rollout.archive import Archive
from canary.rollout.context import Context
from canary.rollout.engine import Known
from canary.rollout.identity import served
from canary.rollout.outcome import Ending, Outcome
from canary.rollout.ports import HookRunner
from canary.rollout.prepare import preflight, prepared
from canary.rollout.progress import Progress
from canary.rollout.standby import require_healthy
from canary.rollout.steps import observe
from canary.rollout.watch import Watch
from canary.state.base import Row
from canary.traffic.base import Drill, Status

MEASURED = 5.0
"""Seconds during which the traffic is measured before the drill."""
PREPARATION = 120.0
"""Time limit until the plan is made; the load hook has its own."""
DRILLED = "DRILL"
"""The word for a drill in the history, where a canary has its verdict."""
KEPT = ("live", "weights", "fallback", "drill")
"""Fields of the proxy's status that a drill must leave as they were."""
HOOKS = {"load": "load", "rolled_back": "rolled_back", "promoted": "rolled_back"}
"""The hook of the policy that a drill runs instead of each hook."""


class Noticed(enum.Enum):
    """Whether the policy noticed the drill."""

    YES = "refused"
    NO = "not noticed"
    UNKNOWN = "could not judge"


@dataclass(frozen=True, slots=True)
class Demand:
    """The traffic before a drill: requests per second, and each counter's events per request."""

    rate: float
    events: Mapping[str, float]
    servers: tuple[int, int]


@dataclass(slots=True)
class Exercise:
    """The phases of a drill.

    Attributes:
        foresee: returns how long the policy will need.
        before: the proxy's status before the drill.
        plan: the sentence that ``foresee`` returned.
    """

    drill: Drill
    foresee: Callable[[Demand], str]
    before: Status | None = None
    plan: str = ""

    def __call__(self, context: Context, known: Known) -> Ending:
        known.live = preflight(context)
        idle = other_colour(context.request.colours, known.live)
        context.keeper.beat(PREPARATION)
        self.before = context.ports.traffic.status()
        require_usable(context, self.before, idle)
        baseline, candidate = (_installed(self.before, colour) for colour in (known.live, idle))
        context.values |= {"candidate": candidate.name, "baseline": baseline.name}
        context.keeper.beat(86_400)  # a hook has its own time limit
        context.hook("load")
        context.keeper.beat(PREPARATION)
        known.progress = prepared(context, baseline, candidate)
        self.plan = self.foresee(_measured(context, known.live))
        context.keeper.beat()
        context.say("plan", self.plan)
        context.say("drill", f"When {idle} carries traffic, {self.drill}")
        watch = DrillWatch(context, known.progress, self.drill)
        ending = observe(context, known.progress, watch)
        return ending or Ending(Verdict.PASS, known.progress.judgements[-1].reason)

    def left(self, after: Status) -> str:
        """Return how the proxy differs from its status before the drill, or an empty string."""
        if self.before is None:
            return ""
        changed = [name for name in KEPT if getattr(after, name) != getattr(self.before, name)]
        return ", ".join(f"{name} is {getattr(after, name)}" for name in changed)


class DrillWatch(Watch):
    """Also checks that the proxy still adds the errors or the delay."""

    def __init__(self, context: Context, progress: Progress, drill: Drill) -> None:
        super().__init__(context, progress)
        self._drill = drill

    def look(self) -> Ending | None:
        ending = super().look()
        if ending is None and self.status is not None and self.status.drill != self._drill:
            return Ending(None, f"The proxy does not add what it should, but {self.status.drill}")
        return ending


@dataclass(frozen=True, slots=True)
class DrillHooks:
    """The load hook, and at the end the rollback hook, because nothing is promoted."""

    hooks: HookRunner

    def has(self, name: str) -> bool:
        return name in HOOKS and self.hooks.has(HOOKS[name])

    def run(self, name: str, values: Mapping[str, str]) -> str:
        return self.hooks.run(HOOKS[name], values)


class DrillArchive(Archive):
    """Stores a drill in the history, as a drill and not as a verdict on a release."""

    def _row(self, outcome: Outcome, reported: bool) -> Row:  # noqa: FBT001 - as in Archive
        row = super()._row(outcome, reported)
        return replace(row, verdict=DRILLED, colours="", reason=f"{row.verdict}: {row.reason}")

    def _subject(self, outcome: Outcome) -> str:
        return f"Drill: {super()._subject(outcome)}"


def require_usable(context: Context, status: Status, idle: str) -> None:
    """Refuse a proxy that cannot add errors, and an idle colour that might itself harm users."""
    if not status.can_drill:
        raise TrafficError(
            "The proxy cannot add errors or a delay: its role is older than this canary. Run the "
            "role cart.canary.proxy (site.yml) again"
        )
    require_healthy(status, idle)
    live, other = served(status, status.live), served(status, idle)
    if live.release == other.release != "":
        return
    trusted = any(name in status.fallback for name in status.servers(idle))
    if not trusted or len(status.releases_on(idle)) > 1:
        raise TrafficError(
            f"{other} is no standby, so it may itself harm users. Install the live release on "
            f"it: canary deploy {live.release or 'REF'} --env {context.request.environment}"
        )
    context.warn(
        f"{other} is not known to have the same release as {live}: if it is worse by itself, "
        "the policy may refuse it for that"
    )


def seeing(policy: Policy, drill: Drill, named: Sequence[str]) -> list[Metric]:
    """Return the judged metrics that see the drill: the proxy's own, and those ``named``."""
    judged = [metric for metric in policy.metrics if not metric.muted]
    added = {"errors": drill.errors > 0, LATENCY: drill.delay > 0}
    return [m for m in judged if m.name in named or added.get(m.counter or "", False)]


def noticed(policy: Policy, outcome: Outcome, sees: Sequence[str]) -> tuple[Noticed, str]:
    """Return whether the policy noticed the drill, with a sentence."""
    if outcome.verdict is None or not outcome.judgements or outcome.recording is None:
        return Noticed.UNKNOWN, f"The drill could not be judged: {outcome.reason}"
    elapsed = outcome.judgements[-1].at - outcome.recording.steps[0].start
    took = f"after {plural(elapsed // policy.period, 'period')} ({duration(elapsed)})"
    if outcome.verdict is Verdict.FAIL:
        return _refused(outcome, sees, took)
    if outcome.verdict is Verdict.INCONCLUSIVE and elapsed < policy.maximum:
        return Noticed.UNKNOWN, f"The drill could not be judged {took}: {outcome.reason}"
    return Noticed.NO, (
        f"Your policy did not notice the drill: {outcome.verdict} {took}. {outcome.reason}"
    )


def _refused(outcome: Outcome, sees: Sequence[str], took: str) -> tuple[Noticed, str]:
    failed = [one.metric for one in outcome.judgements[-1].findings if _failed(one)]
    if set(failed) & set(sees):
        return Noticed.YES, f"Refused {took}, as expected: {outcome.reason}"
    why = f"{listed(failed)} cannot see it" if failed else "no metric failed"
    return Noticed.NO, f"Refused {took}, but not because of the drill: {why}. {outcome.reason}"


def _failed(finding: Finding) -> bool:
    return finding.verdict is Verdict.FAIL and not finding.muted


def _installed(status: Status, colour: str) -> Release:
    return Release(served(status, colour).release or colour, "", colour)


def _measured(context: Context, live: str) -> Demand:
    """Measure the traffic of the live colour for some seconds."""
    began, first = context.now(), context.ports.traffic.status()
    context.ports.clock.sleep(MEASURED)
    last = context.ports.traffic.status()
    requests = last.total("requests", live) - first.total("requests", live)
    if requests <= 0:
        raise SourceError(
            f"No request reached {live} in {MEASURED:.0f} s, so nothing could be noticed"
        )
    all_time = max(last.total("requests", live), 1)
    events = {name: last.total(name, live) / all_time for name in last.counters}
    idle = other_colour(context.request.colours, live)
    servers = (len(last.servers(idle)), len(last.servers(live)))
    return Demand(requests / (context.now() - began), events, servers)
