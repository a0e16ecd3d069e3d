"""Operations by hand: status, promote, rollback, approve, history."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from canary.errors import StateError, TrafficError
from canary.rollout.manual import Manual
from canary.state.base import Live, Row
from canary.traffic.base import Status
from tests.unit.canary.cli_shell import Shell, replaced, shell
from tests.unit.canary.rollout_fakes import START, Proxy, Time, Troubles
from tests.unit.canary.rollout_memory import Memory
from tests.unit.canary.rollout_world import World

ME = ("me@here", lambda: START, str)


class Still(Proxy):
    """A proxy with a fixed status."""

    def __init__(self, status: Status) -> None:
        self.answer = status

    def status(self) -> Status:
        return self.answer


canary = pytest.fixture(shell, name="canary")
world = pytest.fixture(replaced, name="world")


def differ(world: World) -> None:
    """The parameter says green, but a new proxy serves blue."""
    world.state.colour, world.state.release = "green", "2" * 12
    world.proxy.releases = {"blue-1": "1" * 12, "green-1": "2" * 12}


def row(colour: str, verdict: str, commit: str) -> Row:
    names = {"baseline": "", "candidate": f"v2 {commit * 40}", "live": "blue", "who": "me"}
    return Row("c9", START, START + 9, verdict, 1, **names, reason="errors rose", colours=colour)


def test_status_tells_what_agrees_and_what_does_not(canary: Shell, world: World) -> None:
    status, out, _ = canary("status", "--env", "test")
    assert status == 0
    assert "Live: blue" in out
    assert "No canary is running" in out
    differ(world)
    status, out, _ = canary("status", "--env", "test", "--json")
    assert status == 1
    assert json.loads(out)["differences"] == [
        "green (222222222222) should be live, but the proxy serves blue (111111111111). "
        "canary does not correct this by itself. Name the correct colour: "
        "canary promote --env test --colour green or --colour blue"
    ]


def test_status_shows_each_colours_release_health_standby_and_verdict(
    canary: Shell, world: World
) -> None:
    world.proxy.releases = {"blue-1": "1" * 12, "green-1": "2" * 12}
    world.proxy.down, world.proxy.fallback = {"green-1"}, ("green-1",)
    world.state.rows = [row("green", "FAIL", "2"), row("blue", "PASS", "3")]
    world.state.release = "1" * 12
    lines = canary("status", "--env", "test")[1].splitlines()
    assert lines[1] == "blue: 100.0% of traffic (blue-1 UP), release 111111111111"
    assert lines[2] == (
        "green: 0.0% of traffic (green-1 DOWN), release v2 (222222222222), standby, last "
        "verdict FAIL"
    )
    colours = json.loads(canary("status", "--env", "test", "--json")[1])["colours"]
    assert colours["blue"]["verdict"] is None, "that one was about another release"
    assert colours["green"] == {
        "releases": ["222222222222"],
        "ref": "v2",
        "share": 0.0,
        "servers": {"green-1": "DOWN"},
        "down": ["green-1"],
        "standby": True,
        "verdict": {"canary": "c9", "verdict": "FAIL"},
    }


@pytest.mark.parametrize(
    ("ref", "shown"),
    [
        ("v2", "release v2 (222222222222)"),
        ("2222222", "release 222222222222"),
        (".", "release 222222222222"),
    ],
)
def test_status_shows_the_tag_that_was_typed(
    canary: Shell, world: World, ref: str, shown: str
) -> None:
    world.proxy.releases = {"blue-1": "2" * 12, "green-1": "4" * 12}
    world.state.release = "2" * 12
    older = replace(row("blue", "PASS", "2"), candidate=f"v1 {'2' * 40}")
    world.state.rows = [replace(older, candidate=f"{ref} {'2' * 40}"), older]
    lines = canary("status", "--env", "test")[1].splitlines()
    live = shown.removeprefix("release ").replace(" (", ", ").rstrip(")")
    assert lines[0] == f"Live: blue ({live})"
    assert lines[1].endswith(f"{shown}, last verdict PASS")
    assert "release 444444444444" in lines[2], "nothing is known of that one"
    assert f"canary deploy {'v2' if ref == 'v2' else '2' * 12} --env test" in lines[4]


def test_status_tells_of_a_release_that_nobody_meant(canary: Shell, world: World) -> None:
    world.state.release, world.proxy.releases = "1" * 12, {"blue-1": "7" * 12}
    status, out, _ = canary("status", "--env", "test")
    assert status == 1
    assert "blue (111111111111) should be live, but blue reports 777777777777" in out


@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_where_proxy_and_memory_differ_nothing_moves_before_the_colour_is_named(
    canary: Shell, world: World, command: str
) -> None:
    differ(world)
    status, _, err = canary(command, "--env", "test")
    assert status == 2
    assert "Nothing was changed. Name the correct colour" in err
    assert (world.proxy.live, world.state.colour) == ("blue", "green"), "the witness stays"
    assert world.state.rows == []
    status, out, _ = canary(command, "--env", "test", "--colour", "green")
    assert status == 0
    assert "green (222222222222) is live" in out
    assert (world.proxy.live, world.state.live()) == ("green", Live("green", "2" * 12))
    assert world.state.rows[0].baseline == "blue (111111111111)", "what was there before is kept"


def test_status_warns_of_a_weight_that_nobody_watches(canary: Shell, world: World) -> None:
    world.proxy.set("green", 0.2, 60)
    status, out, _ = canary("status", "--env", "test")
    assert status == 1
    assert "no canary holds the lock" in out


def test_promote_by_hand_is_idempotent(canary: Shell, world: World) -> None:
    for _ in range(2):
        status, _, _ = canary("promote", "--env", "test", "--colour", "green")
        assert status == 0
        assert (world.proxy.live, world.state.colour) == ("green", "green")
    assert world.troubles.calls.count("traffic.promote") == 1
    assert [(row.verdict, row.live) for row in world.state.rows] == [("PROMOTED", "green")]


def test_promote_takes_the_candidate_that_has_traffic(canary: Shell, world: World) -> None:
    status, _, err = canary("promote", "--env", "test")
    assert status == 2
    assert "No candidate carries traffic" in err
    world.proxy.set("green", 0.2, 60)
    status, out, _ = canary("promote", "--env", "test")
    assert status == 0
    assert "green is live" in out


@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_a_colour_that_is_none_is_refused(canary: Shell, world: World, command: str) -> None:
    status, _, err = canary(command, "--env", "test", "--colour", "red")
    assert status == 2
    assert "No colour is named 'red'" in err
    assert world.proxy.live == "blue"


def down(world: World) -> None:
    world.proxy.down = {"green-1"}


def failed(world: World) -> None:
    world.proxy.releases = {"green-1": "2" * 12}
    world.state.rows = [row("green", "FAIL", "2")]


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [(down, "green-1 is DOWN"), (failed, "its release failed canary c9: errors rose")],
)
def test_promote_refuses_what_cannot_serve_unless_it_is_forced(
    canary: Shell, world: World, trouble: Callable[[World], None], sentence: str
) -> None:
    trouble(world)
    words = ("promote", "--env", "test", "--colour", "green")
    status, _, err = canary(*words)
    assert status == 2
    assert f"green was not promoted: {sentence}" in err
    assert "canary promote --env test --colour green --force" in err
    assert (world.proxy.live, world.state.colour) == ("blue", "blue")
    assert canary(*words, "--force")[0] == 0
    assert (world.proxy.live, world.state.colour) == ("green", "green")


def test_a_colour_whose_servers_are_all_down_carries_nothing_even_if_forced(
    canary: Shell, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    down(world)
    promote = world.proxy.promote

    def without_server(colour: str, *, leased: bool = False) -> Status:
        return replace(promote(colour, leased=leased), shares={"blue-1": 0.0, "green-1": 0.0})

    monkeypatch.setattr(world.proxy, "promote", without_server)
    status, _, err = canary("promote", "--env", "test", "--colour", "green", "--force")
    assert status == 2
    assert "Traffic is not on green: none of its servers is up (green-1 is DOWN). Check:" in err
    assert world.state.colour == "blue"


def test_a_verdict_on_another_release_refuses_nothing(canary: Shell, world: World) -> None:
    failed(world)
    world.proxy.releases = {"green-1": "3" * 12}
    assert canary("promote", "--env", "test", "--colour", "green")[0] == 0


def test_mixed_releases_are_one_colours_trouble() -> None:
    weights = {"green-1": 0, "green-2": 0, "blue-1": 256}
    releases = {"green-1": "1" * 12, "green-2": "2" * 12}
    mixed = Status("blue", weights, {}, dict.fromkeys(weights, "UP"), releases=releases)
    manual = Manual(
        "test", ("blue", "green"), Still(mixed), Memory(Time(Troubles()), Troubles()), *ME
    )
    with pytest.raises(TrafficError, match="its servers report 111111111111 and 222222222222"):
        manual.promote("green", force=False)


def test_promote_refuses_a_colour_whose_verdict_is_unknown(canary: Shell, world: World) -> None:
    """A damaged row of the history must not count as absent: the release may have failed."""
    world.troubles.lasting = ("state.history", 0, StateError("c9.json is damaged"))
    words = ("promote", "--env", "test", "--colour", "green")
    status, _, err = canary(*words)
    assert status == 2
    assert "the last verdict on it is unknown (c9.json is damaged)" in err
    assert "--colour green --force" in err
    assert world.proxy.live == "blue"
    assert canary(*words, "--force")[0] == 0
    assert world.proxy.live == "green"
