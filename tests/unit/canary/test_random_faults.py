"""Random schedules of faults against a whole canary, in simulated time.

Each seed draws the faults, their times and durations. In every case, traffic ends at the live
release, nothing passes on missing evidence, and the next canary works without a repair. A failed
test names its seed, and the same seed gives the same run.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pytest

from canary import errors
from canary.judge import judge
from canary.model import Arm, Release, Series, Verdict
from canary.policy import Metric
from canary.rollout.engine import run
from canary.rollout.outcome import Outcome
from canary.sources.base import Query
from tests.unit.canary.rollout_fakes import START, Metrics, Troubles
from tests.unit.canary.rollout_world import FAIL, OPEN, PASS, World, go, settle

SCHEDULES = 400
LONGEST = 120.0
KINDS: dict[str, type[errors.CanaryError]] = {
    "traffic": errors.TrafficError,
    "traffic.status": errors.TrafficError,
    "traffic.renew": errors.TrafficError,
    "traffic.set": errors.TrafficError,
    "traffic.promote": errors.TrafficError,
    "source.read": errors.SourceError,
    "state": errors.StateError,
    "state.set_live": errors.StateError,
    "state.alarms": errors.StateError,
    "hooks": errors.HookError,
    "clock.sleep": errors.CanaryError,
}


class Killed(BaseException):
    """Represents SIGKILL."""


@dataclass(frozen=True)
class Fault:
    """One kind of call fails from ``start`` on for ``seconds``, before or after its effect."""

    call: str
    start: float
    seconds: float
    late: bool

    def strikes(self, call: str, now: float) -> bool:
        return call.startswith(self.call) and 0 <= now - START - self.start < self.seconds


class Schedule(Troubles):
    """Faults by time, with at most one signal or kill."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        draw = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.faults = [
            Fault(
                draw.choice(list(KINDS)),
                draw.uniform(0, LONGEST),
                draw.choice([1.0, 6.0, 20.0, 1e6]),
                draw.random() < 0.5,
            )
            for _ in range(draw.randint(0, 3))
        ]
        self.end: BaseException | None = draw.choice(
            [None, None, errors.Interruption("SIGTERM"), Killed()]
        )
        self.end_at = draw.uniform(0, LONGEST)
        self.silent = draw.choice([None, None, draw.uniform(0, LONGEST)])
        self.down = draw.choice([None, None, draw.uniform(20, LONGEST)])
        self.verdict = draw.choice([PASS, FAIL, OPEN])
        self.decided = draw.uniform(10, LONGEST)
        self.bake = draw.choice([0.0, 30.0])
        self.anew = draw.choice([None, draw.uniform(20, LONGEST)])
        self.now: Callable[[], float] = lambda: START
        self.shielded = False

    def meet(self, name: str, effect: Callable[[], object]) -> None:
        self.calls.append(name)
        now = self.now()
        if self.end is not None and now - START >= self.end_at:
            ended, self.end = self.end, None
            if isinstance(ended, Killed) or not self.shielded:
                raise ended
        for fault in self.faults:
            if fault.strikes(name, now):
                if fault.late:
                    effect()
                raise KINDS[fault.call](f"{name} failed at {now - START:.0f} s")
        effect()


class Lived(World):
    """A world whose faults depend on time, and in which a kill ends everything of the process."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__(
            lambda elapsed: schedule.verdict if elapsed >= schedule.decided else OPEN,
            schedule,
            bake=schedule.bake,
            alarms=("ErrorRate",),
        )
        self.schedule = schedule
        schedule.now = self.time.now
        self.time.passing = self.happens
        self.killed = False

    def happens(self) -> None:
        elapsed, schedule = self.time.now() - START, self.schedule
        if schedule.silent is not None and elapsed >= schedule.silent:
            self.source.sends = False
        if schedule.down is not None and elapsed >= schedule.down:
            self.proxy.down.add("green-1")
        self.proxy.anew = 5 if schedule.anew is not None and elapsed >= schedule.anew else 0

    def shield(self) -> None:
        self.schedule.shielded = True
        if self.killed:
            raise Killed

    def unshield(self) -> None:
        self.schedule.shielded = False


def lived(seed: int) -> tuple[Lived, Outcome | None]:
    world = Lived(Schedule(seed))
    try:
        return world, go(world)
    except Killed:
        world.killed = True
        return world, None


def told(world: Lived, outcome: Outcome | None) -> object:
    """Return all results of a run, to compare two runs of one seed."""
    return (outcome, tuple(world.events), tuple(world.schedule.calls), world.proxy.live)


@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_traffic_ends_at_the_live_release(seed: int) -> None:
    world, outcome = lived(seed)
    settle(world)
    assert world.proxy.share == 0.0, "no candidate keeps traffic that nobody watches"
    assert world.proxy.until is None
    if outcome is None:
        return
    assert (outcome.verdict is Verdict.PASS) <= (world.proxy.live == "green")
    if outcome.safe:
        assert world.proxy.live == outcome.live
    if outcome.verdict is Verdict.PASS:
        # A look with evidence decided it, after at least the minimum time.
        assert outcome.judgements[-1].verdict is Verdict.PASS
        assert outcome.judgements[-1].at - outcome.recording.steps[0].start >= 60  # type: ignore[union-attr]
        assert world.state.colour == "green"


@pytest.mark.parametrize("seed", range(0, SCHEDULES, 10))
def test_a_seed_reproduces_its_run(seed: int) -> None:
    assert told(*lived(seed)) == told(*lived(seed))


@pytest.mark.parametrize("seed", range(0, SCHEDULES, 2))
def test_the_next_canary_works_without_a_repair(seed: int) -> None:
    """This holds when the faults are over. Only if state and proxy differ, a person must act."""
    before, _ = lived(seed)
    settle(before)
    before.time.skip(100)  # a dead holder's lock expires
    agreed = before.proxy.live == before.state.colour
    after = World()
    for part in ("time", "proxy", "state"):
        setattr(after, part, getattr(before, part))
    after.proxy.down.clear()
    after.time.troubles = after.proxy.troubles = after.state.troubles = after.troubles
    after.time.passing = lambda: None
    live = after.proxy.live
    outcome = go(after)
    if agreed:
        assert outcome.verdict is Verdict.PASS, outcome.reason
        assert after.proxy.live == after.state.colour == {"blue": "green", "green": "blue"}[live]
    else:
        assert outcome.verdict is None
        assert f"canary promote --env test --colour {live}" in outcome.reason


def test_the_schedules_meet_every_ending() -> None:
    """Otherwise the invariants would hold only because nothing happened."""
    endings = {
        "killed" if outcome is None else str(outcome.verdict)
        for _, outcome in map(lived, range(200))
    }
    assert endings == {"killed", "None", "PASS", "FAIL", "INCONCLUSIVE"}


class Telling(Metrics):
    """Latencies with noise, which stop at some time."""

    def __init__(self, world: Lived, seed: int) -> None:
        super().__init__(world.troubles)
        self.world = world
        self.draw = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def read(
        self, queries: Sequence[Query], arms: Mapping[Arm, Release], start: int, end: int
    ) -> tuple[Series, ...]:
        silent = self.world.schedule.silent
        found = super().read(queries, arms, start, end)
        return tuple(
            replace(series, values=tuple(self.value(t, silent) for t in series.times))
            for series in found
        )

    def value(self, moment: int, silent: float | None) -> float | None:
        if silent is not None and moment >= START + silent:
            return None
        return 20 * math.exp(self.draw.gauss(0, 0.005))


def judged(seed: int, silent: float | None) -> Outcome:
    """Run a canary of an equal candidate with the real judge; its metrics stop at some time."""
    schedule = Schedule(seed)
    schedule.faults, schedule.end, schedule.down, schedule.silent = [], None, None, silent
    world = Lived(schedule)
    world.source = Telling(world, seed)
    context = world.context()
    wide = Metric.model_validate({"name": "latency", "kind": "latency", "margin": "20%"})
    context.policy = policy = context.policy.model_copy(update={"metrics": (wide,)})
    ports = replace(context.ports, judge=lambda recording, until: judge(policy, recording, until))
    context.ports = ports
    return run(context, archive=lambda _: None)


def test_an_equal_candidate_passes_the_real_judge() -> None:
    assert judged(1, silent=None).verdict is Verdict.PASS


@pytest.mark.parametrize("seed", range(20))
def test_nothing_passes_on_missing_evidence(seed: int) -> None:
    """The same candidate does not pass if every call of the source succeeds but returns nothing."""
    assert judged(seed, silent=15 + 2.0 * seed).verdict in (Verdict.INCONCLUSIVE, None)
