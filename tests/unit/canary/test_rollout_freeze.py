"""``on_fail: freeze``: after FAIL, the weight stays for a person, with a time limit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from canary.errors import Interruption, StateError
from canary.model import Verdict
from tests.unit.canary.rollout_fakes import Troubles
from tests.unit.canary.rollout_world import FAIL, OPEN, World, after, go, settle

HOLD = 300.0


def failing(verdict: Verdict = FAIL, troubles: Troubles | None = None) -> World:
    return World(after(30, verdict), troubles, on_fail="freeze", hold=HOLD)


def held(world: World, change: Callable[[], None]) -> None:
    """Make a change as soon as the weight is held."""

    def passing() -> None:
        if world.said("hold"):
            change()

    world.time.passing = passing


def test_the_weight_stays_until_the_time_is_over() -> None:
    world = failing()
    shares: list[float] = []
    held(world, lambda: shares.append(world.proxy.share))
    outcome = go(world)
    assert set(shares) == {0.2}
    assert len(shares) >= HOLD / world.policy.period
    (question,) = world.said("hold")
    assert question.startswith("FAIL: FAIL at 30. The weight stays for 5 min")
    assert "canary rollback --env test" in question
    assert "canary promote --env test" in question
    assert (outcome.verdict, outcome.reason) == (FAIL, "FAIL at 30")
    assert outcome.traffic == "blue carries all traffic."
    assert [name for name, _ in world.hooks.ran][-1] == "rolled_back"


def test_whoever_gets_the_verdicts_is_told_what_to_type() -> None:
    world = failing()
    go(world)
    assert any("Canary waits for you on test" in said for said in world.state.said)
    assert any("canary rollback --env test" in said for said in world.state.said)


def test_a_message_that_cannot_be_sent_changes_nothing() -> None:
    troubles = Troubles(lasting=("state.announce", 0, StateError("no topic")))
    world = failing(troubles=troubles)
    outcome = go(world)
    assert outcome.verdict == FAIL
    assert outcome.ended - outcome.started > HOLD
    assert any("Nobody was told" in warning for warning in outcome.warnings)


def test_a_rollback_by_hand_ends_it() -> None:
    world = failing()
    held(world, world.proxy.reset)
    outcome = go(world)
    assert (outcome.verdict, outcome.reason) == (FAIL, "FAIL at 30")
    assert outcome.ended - outcome.started < HOLD / 2
    assert world.proxy.share == 0.0


def test_a_promotion_by_hand_is_kept_and_the_verdict_stays() -> None:
    world = failing()

    def promote() -> None:
        world.proxy.live, world.state.colour = "green", "green"
        world.proxy.reset()

    held(world, promote)
    outcome = go(world)
    assert (outcome.verdict, outcome.live, world.proxy.live) == (FAIL, "green", "green")
    assert "traffic.release" not in world.troubles.calls
    assert [name for name, _ in world.hooks.ran][-1] == "promoted"


def test_a_stop_by_hand_returns_the_traffic_and_keeps_the_verdict() -> None:
    world = failing()

    def stop() -> None:
        world.time.passing = lambda: None
        raise Interruption("SIGINT")

    held(world, stop)
    outcome = go(world)
    assert (outcome.verdict, outcome.reason) == (FAIL, "FAIL at 30")
    assert world.proxy.share == 0.0
    assert any("held no longer: SIGINT" in warning for warning in outcome.warnings)


def test_the_lease_returns_the_traffic_of_a_process_that_dies() -> None:
    class Killed(BaseException):
        """Represents SIGKILL: nothing of this process runs after it."""

    world = failing()

    def die() -> None:
        world.time.passing = lambda: None
        world.dead = Killed()
        raise world.dead

    held(world, die)
    with pytest.raises(Killed):
        go(world)
    assert world.proxy.share == 0.2
    settle(world)
    assert world.proxy.share == 0.0


def quiet(world: World) -> None:
    world.source.quiet.add("i-green")


def down(world: World) -> None:
    world.proxy.down.add("green-1")


@pytest.mark.parametrize("trouble", [quiet, down])
def test_nothing_is_held_for_lost_evidence_or_a_broken_candidate(
    trouble: Callable[[World], None],
) -> None:
    world = failing(OPEN)
    world.during = lambda world, _: trouble(world)
    outcome = go(world)
    assert world.said("hold") == []
    assert outcome.verdict != Verdict.PASS
    assert world.proxy.share == 0.0


def test_nothing_is_held_if_it_is_undecided_or_not_asked_for() -> None:
    for world in (failing(OPEN), World(after(30, FAIL), hold=HOLD)):
        outcome = go(world)
        assert world.said("hold") == []
        assert outcome.ended - outcome.started < HOLD
        assert world.proxy.share == 0.0
