"""A world in which a whole canary runs in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from canary.artifact import Published
from canary.errors import SourceError, TrafficError
from canary.model import Event, Finding, Judgement, Recording, Verdict
from canary.rollout.context import Context, Request
from canary.rollout.engine import run
from canary.rollout.lease import Keeper
from canary.rollout.outcome import Outcome
from canary.rollout.ports import Observer, Ports
from canary.rollout.timing import Timing
from canary.state.base import Holder
from tests.unit.canary.rollout_fakes import POLICY, Commands, Metrics, Proxy, Time, Troubles
from tests.unit.canary.rollout_memory import Memory


class World:
    """The environment of one canary. ``verdict`` returns the verdict of a look."""

    def __init__(
        self,
        verdict: Callable[[int], Verdict] = lambda _: Verdict.PASS,
        troubles: Troubles | None = None,
        **request: object,
    ) -> None:
        self.troubles = troubles or Troubles()
        self.verdict = verdict
        self.time = Time(self.troubles)
        self.proxy = Proxy(self.time, self.troubles)
        self.source = Metrics(self.troubles)
        self.state = Memory(self.time, self.troubles)
        self.hooks = Commands(self.troubles)
        self.events: list[Event] = []
        self.observer: Observer | None = None
        self.dead: BaseException | None = None
        self.findings: tuple[Finding, ...] = ()
        self.during: Callable[[World, int], None] = lambda _world, _elapsed: None
        self.policy = POLICY
        self.request = Request(
            **{  # type: ignore[arg-type]
                "name": "c1",
                "environment": "test",
                "colours": ("blue", "green"),
                "who": "me@here",
                "candidate": "v2",
                **request,
            }
        )

    def judge(self, recording: Recording, until: int) -> Judgement:
        elapsed = until - recording.steps[0].start
        verdict = self.verdict(elapsed)
        return Judgement(
            at=until, verdict=verdict, reason=f"{verdict} at {elapsed}", findings=self.findings
        )

    def publish(self, ref: str) -> Published:
        self.troubles.meet("publish", lambda: None)
        return Published(ref, f"release-{ref}", "c" * 40, f"s3://b/{ref}", "a" * 64, reused=False)

    def event(self, event: Event) -> None:
        self.events.append(event)

    def look(self, recording: Recording, judgements: Sequence[Judgement]) -> None:
        self.during(self, judgements[-1].at - recording.steps[0].start)

    def shield(self) -> None:
        """Hold signals back from here on: planned interruptions are dropped."""
        if self.dead is not None:
            raise self.dead
        interruptions = [n for n, e in self.troubles.once.items() if not isinstance(e, Exception)]
        for number in interruptions:
            del self.troubles.once[number]

    def unshield(self) -> None:
        """Do nothing: interruptions that were dropped do not come back."""

    def context(self) -> Context:
        timing = Timing.of(self.policy, settle=None)
        holder = Holder(self.request.name, "me@here", self.time.now(), self.time.now() + 60)
        keeper = Keeper(timing, self.time, self.proxy, self.state, holder)
        ports = Ports(
            clock=self.time,
            traffic=self.proxy,
            source=self.source,
            state=self.state,
            hooks=self.hooks,
            background=self.time,
            observer=self.observer or self,
            judge=self.judge,
            publish=self.publish,
            shield=self.shield,
            unshield=self.unshield,
        )
        return Context(self.request, self.policy, timing, ports, keeper)

    def said(self, kind: str) -> list[str]:
        return [event.sentence for event in self.events if event.kind == kind]


def unreachable() -> TrafficError:
    return TrafficError("The proxy can't be reached")


def silent() -> SourceError:
    return SourceError("no response")


PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
LEASE = 9  # two periods of 5 s, less one second


def go(world: World) -> Outcome:
    return run(world.context(), archive=lambda _: None)


def settle(world: World) -> None:
    """Let every lease expire, as after the end of the process."""
    world.time.stop()
    world.time.skip(LEASE)
    world.proxy.expire()


def after(seconds: int, verdict: Verdict, before: Verdict = OPEN) -> Callable[[int], Verdict]:
    return lambda elapsed: verdict if elapsed >= seconds else before


def silent_after(seconds: int) -> tuple[World, list[float]]:
    """Return a world whose candidate stops reporting metrics, and when it did, once it has."""
    world = World(after(0, OPEN))
    since: list[float] = []

    def silence(world: World, elapsed: int) -> None:
        if elapsed >= seconds and not since:
            world.source.quiet.add("i-green")
            since.append(world.time.now())

    world.during = silence
    return world, since
