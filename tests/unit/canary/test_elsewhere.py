"""A canary that another machine controls is followed and stopped from this machine."""

from __future__ import annotations

import json

import pytest

from canary.cli import elsewhere
from canary.state.base import Holder
from tests.unit.canary.cli_shell import Shell, replaced, shell
from tests.unit.canary.rollout_world import LEASE, World

canary = pytest.fixture(shell, name="canary")
NAME = "20261128T090000Z-0001"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = replaced(monkeypatch)
    monkeypatch.setattr(elsewhere, "state_of", lambda _: made.state)
    monkeypatch.setattr(elsewhere, "traffic_of", lambda _: made.proxy)
    monkeypatch.setattr(elsewhere, "POLL", 0.0)
    return made


OUTCOME = {
    "verdict": None,
    "reason": "Another user reset the weight of green",
    "traffic": "blue carries all traffic.",
    "exit_status": 2,
    "safe": True,
}


def runs_elsewhere(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a canary of another machine hold the lock until its traffic was returned."""
    world.state.held = Holder(NAME, "me@monitor (process 7)", 0.0, 0.0)
    world.proxy.set("green", 0.2, LEASE)

    def noticed() -> Holder | None:
        if world.proxy.until is None:
            world.state.held = None
            world.state.objects[f"canaries/{NAME}/outcome.json"] = json.dumps(OUTCOME).encode()
        return world.state.held

    monkeypatch.setattr(world.state, "holder", noticed)


def test_a_canary_of_another_machine_is_stopped_at_the_proxy(
    canary: Shell, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs_elsewhere(world, monkeypatch)
    status, out, err = canary("stop", "--env", "test")
    assert status == 0, err
    assert world.proxy.share == 0.0
    assert "waiting for me@monitor" in err
    assert "COULD NOT RUN: Another user reset the weight of green" in out


def test_a_canary_of_another_machine_is_followed_to_its_outcome(
    canary: Shell, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs_elsewhere(world, monkeypatch)

    def sleep(_seconds: float) -> None:
        world.time.skip(1)
        world.proxy.expire()

    monkeypatch.setattr(elsewhere, "sleep", sleep)
    status, out, err = canary("attach", "--env", "test", "--json")
    assert status == 2, err
    assert "is controlled by me@monitor (process 7)" in err
    assert "green carries 20 % of traffic" in err
    assert json.loads(out)["reason"] == OUTCOME["reason"]


def test_a_canary_that_deploys_elsewhere_cannot_be_stopped_from_here(
    canary: Shell, world: World
) -> None:
    world.state.held = Holder(NAME, "me@monitor (process 7)", 0.0, 0.0)
    status, _, err = canary("stop", "--env", "test")
    assert status == 2
    assert "has no traffic yet" in err
    assert "Stop it there" in err


@pytest.mark.parametrize("command", ["attach", "resume", "stop"])
def test_where_no_canary_has_run_a_sentence_says_so(
    canary: Shell, world: World, command: str
) -> None:
    assert world.state.held is None
    status, _, err = canary(command, "--env", "test")
    assert status == 2
    assert "No canary has run here" in err
    status, _, err = canary(command, "c9", "--env", "test")
    assert status == 2
    assert "There is no canary c9" in err


def test_a_canary_that_only_observes_is_not_detached(canary: Shell) -> None:
    status, _, err = canary("run", "--env", "test", "--observe", "--detach")
    assert status == 2
    assert "--observe cannot be detached" in " ".join(err.split())
