"""``canary deploy``, and the freeze windows that stop it and ``canary run``."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from canary.errors import HookError
from canary.state.base import Holder, Live
from tests.unit.canary.cli_shell import POLICY, Shell, replaced, shell
from tests.unit.canary.rollout_fakes import START
from tests.unit.canary.rollout_world import World, go

ALWAYS = {"why": "holidays", "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}


canary = pytest.fixture(shell, name="canary")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """The simulated world. Releases are built already, and an installation is only recorded."""
    made = replaced(monkeypatch)
    monkeypatch.setattr("canary.cli.deploy._published", lambda _, ref: made.publish(ref))
    monkeypatch.setattr("canary.cli.deploy.Commands", lambda *_: made.hooks)
    return made


def test_the_first_release_is_known_to_the_first_canary(canary: Shell, world: World) -> None:
    status, _, err = canary("deploy", "v1", "--env", "test", "--everywhere")
    assert status == 0, err
    assert "Installing v1 (release-v1) on green" in err
    assert [values["colour"] for _, values in world.hooks.ran] == ["blue", "green"]
    assert [(row.verdict, row.colours) for row in world.state.rows] == [("DEPLOYED", "blue green")]
    outcome = go(world)
    assert outcome.recording is not None
    assert (outcome.recording.baseline.name, outcome.recording.baseline.commit) == ("v1", "c" * 40)


def test_a_release_on_the_idle_colour_is_not_taken_for_the_live_one(
    canary: Shell, world: World
) -> None:
    canary("deploy", "v1", "--env", "test")
    assert world.state.rows[0].colours == "green"
    outcome = go(world)
    assert outcome.recording is not None
    assert outcome.recording.baseline.name == "live"


def test_while_a_canary_runs_nothing_is_deployed(
    canary: Shell, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("canary.cli.deploy.SystemClock", lambda: world.time)
    world.state.held = Holder("c0", "somebody@else", START, START + 60)
    world.time.passing = world.state.beat
    status, _, err = canary("deploy", "v1", "--env", "test")
    assert status == 2
    assert "c0 is already running: somebody@else" in err
    assert world.hooks.ran == []


def test_a_deployment_frees_the_lock_and_names_the_live_release(
    canary: Shell, world: World
) -> None:
    canary("deploy", "v1", "--env", "test")
    assert (world.state.held, world.state.live()) == (None, Live("blue"))
    canary("deploy", "v1", "--env", "test", "--everywhere")
    assert world.state.live() == Live("blue", "release-v1")
    world.hooks.troubles.lasting = ("hooks.deploy", 0, HookError("playbook failed"))
    assert canary("deploy", "v1", "--env", "test")[0] == 2
    assert world.state.held is None


def test_in_a_freeze_window_no_release_starts(canary: Shell, world: World) -> None:
    environment = {**POLICY["environment"], "freezes": [ALWAYS]}
    canary.policy.write_text(yaml.safe_dump({**POLICY, "environment": environment}))
    for words in (("deploy", "v1"), ("run", "--candidate", "v1")):
        status, _, err = canary(*words, "--env", "test")
        assert status == 2
        assert "No release may start on test now: holidays, until 20" in err
        assert "--ignore-freeze" in err
    assert world.hooks.ran == []
    assert not (Path(".run") / "test" / "canaries").exists()
    assert canary("deploy", "v1", "--env", "test", "--ignore-freeze")[0] == 0


def test_a_hook_that_knows_no_proxy_leaves_the_standby_that_a_rollback_needs(
    canary: Shell, world: World
) -> None:
    status, out, _ = canary("deploy", "v1", "--env", "test", "--everywhere")
    assert (status, world.proxy.fallback) == (0, ("green-1",))
    assert "Release v1 (release-v1) is on blue and green; blue is live, green is its standby" in out
    world.hooks.ran.clear()
    standby: list[tuple[str, ...]] = []
    world.hooks.during = lambda: standby.append(world.proxy.fallback)
    status, out, _ = canary("deploy", "v2", "--env", "test")
    assert (status, standby, world.proxy.fallback) == (0, [()], ())
    assert "blue is live, and there is no standby" in out
    _, out, _ = canary("status", "--env", "test")
    assert "No standby: nothing replaces blue if it goes down" in out
    assert "on the idle colour: canary deploy release-v1 --env test" in out
    canary("deploy", "v1", "--env", "test")
    assert world.proxy.fallback == ("green-1",)
    _, out, _ = canary("status", "--env", "test")
    assert "No standby" not in out


def test_what_the_hook_installed_is_compared_with_what_was_asked(
    canary: Shell, world: World
) -> None:
    world.proxy.releases = {"blue-1": "release-v0", "green-1": "release-v0"}
    status, _, err = canary("deploy", "v1", "--env", "test")
    assert status == 2
    assert "green-1 reports release-v0, not release-v1. Check what the deploy hook installs" in err
    assert world.state.rows == []


def test_files_that_are_behind_deploy_nothing(canary: Shell, world: World) -> None:
    world.state.unknown = "The proxy's last change is c9 by ann"
    status, _, err = canary("deploy", "v1", "--env", "test")
    assert status == 2
    assert "last change is c9 by ann. Name the correct colour: canary promote --env test" in err
    assert world.hooks.ran == []


def test_a_candidate_is_no_standby_from_its_deployment_on(world: World) -> None:
    world.proxy.fallback = ("green-1",)
    standby: list[tuple[str, ...]] = []
    world.hooks.during = lambda: standby.append(world.proxy.fallback)
    go(world)
    assert standby[0] == ()
