"""The lock under 200 schedules of starts, kills and pauses, on machines whose clocks disagree.

Both kinds are tested: the conditional writes of DynamoDB, and the record on the proxy host.
"""

from __future__ import annotations

import heapq
import itertools
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from canary.errors import StateError
from canary.rollout.lock import LOCK_SECONDS, RENEWAL, Tenure
from canary.state.base import Holder, Lock
from tests.support.shared_locks import LOCKS

SCHEDULES = 200
LENGTH = 900.0
WORK = 120.0


@dataclass
class Slow:
    """The lock as one machine sees it: its reads are some seconds old."""

    world: World
    lag: float

    def __post_init__(self) -> None:
        self.take = self.world.lock.take
        self.renew = self.world.lock.renew
        self.free = self.world.lock.free

    def holder(self) -> Holder | None:
        known = [holder for time, holder in self.world.held if time <= self.world.now - self.lag]
        return known[-1] if known else None


@dataclass
class Machine:
    """One canary on a machine whose wall clock is up to ten minutes wrong.

    ``life`` yields the seconds of true time until its next step, which a pause delays.
    """

    world: World
    name: str
    skew: float
    lag: float
    pauses: list[tuple[float, float]]
    killed: float
    holding: bool = False
    outcome: str = ""
    tenure: Tenure = field(init=False)

    def __post_init__(self) -> None:
        started = self.world.now + self.skew
        holder = Holder(self.name, self.name, started, started + LOCK_SECONDS)
        lock = Slow(self.world, self.lag)
        self.tenure = Tenure(lock, holder, lambda: self.world.now)

    def life(self) -> Iterator[float]:
        try:
            yield from self.tenure.take(lambda _: None)
        except StateError:
            self.outcome = "refused"
            return
        self.holding = True
        end = self.world.now + WORK
        while self.world.now < end:
            yield RENEWAL / 3
            if self.tenure.over:
                self.outcome = "gave up"
                self.holding = False
                return
            if self.tenure.due:
                try:
                    self.tenure.renew(self.world.now + self.skew)
                except StateError:
                    self.outcome = "robbed"
                    self.holding = False
                    return
        self.world.lock.free(self.tenure.holder)
        self.holding, self.outcome = False, "done"

    def waking(self, moment: float) -> float:
        """Return when a step planned for ``moment`` happens: a pause delays it to its end."""
        return max([moment, *(end for begin, end in self.pauses if begin <= moment < end)])

    def acts(self) -> bool:
        """Return whether it would change the environment now, according to its own knowledge."""
        return self.holding and not self.tenure.over and self.world.now < self.killed


class World:
    """Runs machines in the order of true time."""

    def __init__(self, seed: int, lock: Lock) -> None:
        draw = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.now = 0.0
        self.numbers = itertools.count()
        self.lock = lock
        self.held: list[tuple[float, Holder | None]] = []
        self.machines: list[Machine] = []
        self.queue: list[tuple[float, int, Callable[[], None]]] = []
        self.together: list[tuple[str, ...]] = []
        together = draw.uniform(0, LENGTH / 2)
        for number in range(draw.randint(2, 4)):
            begin = draw.choice([draw.uniform(0, LENGTH / 2), together + draw.uniform(0, 4)])
            self.at(begin, partial(self.start, number, draw))

    def at(self, moment: float, action: Callable[[], None]) -> None:
        heapq.heappush(self.queue, (moment, next(self.numbers), action))

    def start(self, number: int, draw: random.Random) -> None:
        begins = [draw.uniform(self.now, self.now + WORK) for _ in range(draw.randint(0, 2))]
        machine = Machine(
            self,
            f"c{number}",
            skew=draw.choice([-600.0, 0.0, 600.0]),
            lag=draw.choice([0.0, 1.0, 3.0]),
            pauses=[(begin, begin + draw.choice([5.0, 50.0, 70.0, 200.0])) for begin in begins],
            killed=draw.choice([float("inf"), draw.uniform(self.now, self.now + 2 * WORK)]),
        )
        self.machines.append(machine)
        self.go_on(machine, machine.life())

    def go_on(self, machine: Machine, life: Iterator[float]) -> None:
        if self.now >= machine.killed:
            machine.holding, machine.outcome = False, "killed"
            return
        for pause in life:
            self.at(machine.waking(self.now + pause), lambda: self.go_on(machine, life))
            break

    def run(self) -> None:
        while self.queue:
            self.now, _, action = heapq.heappop(self.queue)
            action()
            self.held.append((self.now, self.lock.holder()))
            acting = tuple(each.name for each in self.machines if each.acts())
            if len(acting) > 1:
                self.together.append(acting)


@pytest.fixture(params=LOCKS)
def made(request: pytest.FixtureRequest) -> Iterator[Callable[[], Lock]]:
    """Makes new locks of one kind, in memory, because no machine crashes here."""
    numbers = itertools.count()
    memory = Path("/dev/shm")  # noqa: S108 - a new directory in it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory:
        yield lambda: LOCKS[request.param](Path(directory, str(next(numbers))))


def test_there_are_never_two_holders_and_nobody_alive_is_robbed(made: Callable[[], Lock]) -> None:
    outcomes: dict[str, int] = {}
    for seed in range(SCHEDULES):
        world = World(seed, made())
        world.run()
        assert world.together == [], f"seed {seed}"
        for machine in world.machines:
            outcomes[machine.outcome] = outcomes.get(machine.outcome, 0) + 1
            paused = any(end - begin >= LOCK_SECONDS for begin, end in machine.pauses)
            assert machine.outcome != "robbed" or paused, f"seed {seed}: {machine}"
            assert machine.outcome != "", f"seed {seed}: {machine} never ended"
    assert min(outcomes[each] for each in ("done", "refused", "killed", "gave up")) >= 5, outcomes


class Asked:
    """Two machines, advanced by hand."""

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self.moment = 0.0
        self.said: list[str] = []

    def tenure(self, name: str, until: float = 0.0) -> Tenure:
        return Tenure(self.lock, Holder(name, f"{name}@host", 0.0, until), lambda: self.moment)

    def take(self, tenure: Tenure, meanwhile: Callable[[], None] = lambda: None) -> float:
        for pause in tenure.take(self.said.append):
            self.moment += pause
            meanwhile()
        return self.moment


def test_a_dead_holders_lock_is_taken_after_one_lease_whatever_the_clocks_say(
    made: Callable[[], Lock],
) -> None:
    for until in (-600.0, 600.0):  # the dead holder's clock was ten minutes behind, or ahead
        asked = Asked(made())
        asked.take(asked.tenure("c0", until))
        assert asked.take(asked.tenure("c1")) == pytest.approx(LOCK_SECONDS, abs=4)
        assert "c0 is already running: c0@host" in asked.said[0]
        assert "waiting 60 s to see if it is alive" in asked.said[0]


def test_a_living_holders_lock_is_refused_at_its_next_beat_whatever_the_clocks_say(
    made: Callable[[], Lock],
) -> None:
    asked = Asked(made())
    living = asked.tenure("c0", until=-600.0)
    asked.take(living)

    def beat() -> None:
        if living.due:
            living.renew(asked.moment - 600)

    with pytest.raises(StateError, match=r"c0 is already running.*Wait until it ends"):
        asked.take(asked.tenure("c1"), beat)
    assert asked.moment <= RENEWAL + 4


def test_a_lock_that_becomes_free_is_taken_at_once(made: Callable[[], Lock]) -> None:
    asked = Asked(made())
    first = asked.tenure("c0")
    asked.take(first)
    taken = asked.take(asked.tenure("c1"), lambda: asked.lock.free(first.holder))
    assert taken <= 4
