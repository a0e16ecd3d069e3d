"""``canary rollback``, ``approve``, ``history`` and ``alarms`` as a person uses them."""

from __future__ import annotations

import json

import pytest

from canary.errors import StateError
from canary.rollout.gates import waiting_key
from canary.state.base import AlarmChange
from tests.unit.canary.cli_shell import Shell, replaced, shell
from tests.unit.canary.rollout_fakes import START
from tests.unit.canary.rollout_world import World

ME = ("me@here", lambda: START, str)


canary = pytest.fixture(shell, name="canary")
world = pytest.fixture(replaced, name="world")


def test_rollback_takes_a_weight_back_and_is_idempotent(canary: Shell, world: World) -> None:
    world.proxy.set("green", 0.2, 60)
    for _ in range(2):
        status, _, _ = canary("rollback", "--env", "test")
        assert status == 0
        assert (world.proxy.live, world.proxy.share) == ("blue", 0.0)
    assert [(row.verdict, row.live) for row in world.state.rows] == [("ROLLED BACK", "blue")]


def test_rollback_after_a_promotion_returns_once(canary: Shell, world: World) -> None:
    world.proxy.live, world.state.colour = "green", "green"
    world.proxy.fallback = ("blue-1",)
    status, out, _ = canary("rollback", "--env", "test")
    assert status == 0
    assert "Rolled back to the previous release: blue" in out
    world.proxy.fallback = ()  # as in the proxy: a failed release is never a fallback
    status, out, _ = canary("rollback", "--env", "test")
    assert status == 0
    assert "Rolled back already: blue is live" in out
    assert (world.proxy.live, world.state.colour) == ("blue", "blue")
    assert "ROLLED BACK" in canary("history", "--env", "test")[1]


def test_rollback_without_a_release_to_return_to_is_no_success(canary: Shell, world: World) -> None:
    status, out, err = canary("rollback", "--env", "test")
    assert (status, out) == (2, "")
    assert "Nothing was rolled back: blue is live and carries all traffic" in err
    assert "green is not a standby" in err
    assert "canary deploy REF --env test, then canary promote --env test --colour green" in err
    assert (world.proxy.live, world.state.colour) == ("blue", "blue")


def test_rollback_that_the_proxy_does_not_follow_is_no_success(
    canary: Shell, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.proxy.set("green", 0.2, 60)
    monkeypatch.setattr(world.proxy, "release", world.proxy.seen)
    status, _, err = canary("rollback", "--env", "test")
    assert status == 2
    assert "Traffic is not on blue" in err


def test_rollback_moves_traffic_although_memory_is_gone(canary: Shell, world: World) -> None:
    world.proxy.set("green", 0.2, 60)
    world.troubles.lasting = ("state", 0, StateError("no response"))
    status, _, err = canary("rollback", "--env", "test")
    assert status == 2
    assert "Traffic is on blue, but the state could not be updated" in err
    assert world.proxy.share == 0.0


def test_approval_needs_a_canary_that_runs(canary: Shell, world: World) -> None:
    status, _, err = canary("approve", "--env", "test", "c1", "promote")
    assert status == 2
    assert "no canary is running" in err
    world.state.held = world.context().keeper.holder
    status, _, err = canary("approve", "--env", "test", "c1", "promote")
    assert status == 2, "it does not wait, or it writes to another machine's files"
    assert "c1 does not wait at the gate 'promote'" in err
    assert "on the machine of the canary: me@here" in err
    world.state.store(waiting_key("c1", "promote"), b"", {})
    assert canary("approve", "--env", "test", "c1", "promot")[0] == 2
    status, _, _ = canary("approve", "--env", "test", "c1", "promote")
    assert status == 0
    assert "canaries/c1/approved-promote" in world.state.objects


@pytest.mark.usefixtures("world")
def test_history_of_a_new_environment_is_empty(canary: Shell) -> None:
    assert canary("history", "--env", "test")[1] == "No canary has run on test yet\n"
    assert canary("history", "--env", "test", "--json")[1] == "[]\n"


def test_alarm_changes_come_newest_first(canary: Shell, world: World) -> None:
    assert canary("alarms", "--env", "test")[1] == "No alarm of test has changed state yet\n"
    for new in ("ALARM", "OK"):
        world.state.changes.append(
            AlarmChange("2026-11-26T11:00:20.000+0000", "ManyCarts", "-", new, f"why {new}", "{}")
        )
    status, out, _ = canary("alarms", "--env", "test", "--limit", "1")
    assert status == 0
    assert out == "2026-11-26 11:00:20 UTC  ManyCarts  - -> OK\n    why OK\n"
    told = json.loads(canary("alarms", "--env", "test", "--json")[1])
    assert [change["new"] for change in told] == ["OK", "ALARM"]
