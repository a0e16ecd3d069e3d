"""Another person moves traffic during a promotion or a rollback."""

from __future__ import annotations

import pytest

from canary.state.base import Live, Row
from canary.traffic.base import Status
from tests.unit.canary.cli_shell import Shell, replaced, shell
from tests.unit.canary.rollout_world import World, go

canary = pytest.fixture(shell, name="canary")
world = pytest.fixture(replaced, name="world")


@pytest.mark.parametrize(("words", "other"), [(("promote",), "blue"), (("rollback",), "green")])
def test_who_moves_traffic_at_the_same_moment_is_named(
    canary: Shell,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    other: str,
) -> None:
    """The exit status is not 0 if traffic is elsewhere and the state names the wrong colour."""
    world.proxy.set("green", 0.2, lease=9)
    remember = world.state.remember

    def meanwhile(row: Row) -> None:
        remember(row)
        world.proxy.promote(other)

    monkeypatch.setattr(world.state, "remember", meanwhile)
    status, _, err = canary(*words, "--env", "test")
    assert status == 2
    assert f"but another user made {other} live" in err
    assert "canary promote --env test --colour" in err


def test_a_promotion_that_lost_its_candidate_promotes_nothing(
    canary: Shell, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.proxy.set("green", 0.2, lease=9)
    promote = world.proxy.promote

    def late(colour: str, *, leased: bool = False) -> Status:
        world.proxy.release()  # by another person
        return promote(colour, leased=leased)

    monkeypatch.setattr(world.proxy, "promote", late)
    status, _, err = canary("promote", "--env", "test")
    assert status == 2
    assert "green has no lease" in err
    assert world.proxy.live == world.state.colour == "blue"


def test_a_candidate_that_a_person_took_back_at_the_last_moment_is_not_promoted() -> None:
    world = World()
    promote = world.proxy.promote

    def late(colour: str, *, leased: bool = False) -> Status:
        world.proxy.promote = promote  # type: ignore[method-assign]
        world.proxy.release()
        return promote(colour, leased=leased)

    world.proxy.promote = late  # type: ignore[method-assign]
    outcome = go(world)
    assert outcome.verdict is None
    assert "green has no lease" in outcome.reason
    assert world.proxy.live == world.state.colour == outcome.live == "blue"


def test_a_person_who_moves_traffic_while_a_promotion_is_recorded_wins() -> None:
    world = World()
    set_live = world.state.set_live

    def meanwhile(live: Live) -> None:
        world.state.set_live = set_live  # type: ignore[method-assign]
        set_live(live)
        world.proxy.promote("blue")

    world.state.set_live = meanwhile  # type: ignore[method-assign]
    outcome = go(world)
    assert outcome.verdict is None
    assert "another user made blue live" in outcome.reason
    assert world.proxy.live == world.state.colour == outcome.live == "blue"
