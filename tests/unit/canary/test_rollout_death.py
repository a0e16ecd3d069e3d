"""A canary is killed, hangs, or cannot store what it promoted."""

from __future__ import annotations

import pytest

from canary.errors import ExitStatus, StateError
from tests.unit.canary.rollout_fakes import POLICY, Troubles
from tests.unit.canary.rollout_world import (
    OPEN,
    World,
    after,
    go,
)

PERIOD = POLICY.period


def test_a_killed_canary_loses_its_weight_within_two_periods() -> None:
    class Killed(BaseException):
        """Represents SIGKILL: nothing of this process runs after it."""

    world = World(after(0, OPEN))
    killed: list[float] = []

    def kill(w: World, elapsed: int) -> None:
        if elapsed >= 20:
            killed.append(w.time.now())
            w.time.stop()
            w.dead = Killed()
            raise Killed

    world.during = kill
    with pytest.raises(Killed):
        go(world)
    assert world.proxy.share == 0.2, "nobody cleaned up"
    while world.proxy.share:
        world.time.skip(0.1)
        world.proxy.expire()
    assert world.time.now() - killed[0] <= 2 * 5


def test_a_hanging_canary_loses_its_lease() -> None:
    world = World(after(0, OPEN))
    shares: list[float] = []

    def hang(w: World, elapsed: int) -> None:
        if elapsed == 20:  # a call that hangs: only the background thread still runs
            w.time.pass_time(60)
            w.proxy.expire()
            shares.append(w.proxy.share)

    world.during = hang
    outcome = go(world)
    assert shares == [0.0], "traffic was back while the canary still hung"
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert "stalled" in outcome.reason


def test_a_promotion_that_cannot_be_remembered_is_undone() -> None:
    world = World(troubles=Troubles(lasting=("state.set_live", 0, StateError("no response"))))
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert (world.proxy.live, world.state.colour) == ("blue", "blue")
