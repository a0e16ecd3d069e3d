"""The lock of an environment whose state is in files."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from shop_traffic import cli
from shop_traffic.config import RefusedError

from tests.support.proxy_world import World

ANN = {"canary": "c1", "who": "ann@here (process 7)", "since": 1.0, "until": 61.0, "beat": 0}
BOB = {**ANN, "canary": "c2", "who": "bob@there (process 9)"}


def ask(world: World, line: str) -> dict[str, Any]:
    found = cli.answer(world.traffic, cli.parser().parse_args(shlex.split(line)))
    assert found is not None
    return found


def swap(world: World, expected: str, holder: dict[str, Any] | str) -> dict[str, Any]:
    text = holder if isinstance(holder, str) else json.dumps(holder)
    return ask(world, f"lock --if {expected} --holder {shlex.quote(text)}")


def test_a_free_lock_is_taken_by_one_and_given_back(world: World) -> None:
    assert ask(world, "lock") == {"holder": None, "last": None}
    assert swap(world, "none", ANN) == {"done": True, "holder": ANN, "last": None}
    assert swap(world, "none", BOB) == {"done": False, "holder": ANN, "last": None}
    assert not swap(world, "c2", "none")["done"]
    assert swap(world, "c1", "none") == {"done": True, "holder": None, "last": None}


def test_only_the_lock_that_was_watched_is_taken(world: World) -> None:
    swap(world, "none", ANN)
    assert swap(world, "c1", {**ANN, "beat": 1})["done"]
    assert not swap(world, "c1/0", BOB)["done"], "it was renewed since"
    assert swap(world, "c1/1", BOB) == {"done": True, "holder": BOB, "last": None}


def test_the_last_change_is_kept_beside_the_lock(world: World) -> None:
    change = {"canary": "c1", "who": "ann@here"}
    assert ask(world, f"lock --last '{json.dumps(change)}'")["last"] == change
    assert swap(world, "none", BOB)["last"] == change


def test_a_change_of_the_lock_says_what_it_expects(world: World) -> None:
    with pytest.raises(RefusedError, match="--holder and --if go together"):
        ask(world, "lock --holder none")


@pytest.mark.parametrize(
    ("holder", "sentence"),
    [
        ("{", "is not JSON"),
        ("[" * 20_000, "is not JSON"),
        ("[]", "is not a record of canary, who, since, until, beat"),
        (json.dumps({"canary": "c1"}), "is not a record of"),
        (json.dumps({**ANN, "canary": "../live"}), "is not the name of a canary"),
        (json.dumps({**ANN, "canary": "none"}), "is not the name of a canary"),
        (json.dumps({**ANN, "who": "a\nb"}), "who is"),
        (json.dumps({**ANN, "who": "a" * 201}), "who is"),
        (json.dumps({**ANN, "beat": 0.5}), "beat is"),
        (json.dumps({**ANN, "since": float("nan")}), "since is"),
        (json.dumps({**ANN, "until": "soon"}), "until is"),
    ],
)
def test_a_holder_that_cannot_be_meant_is_refused(world: World, holder: str, sentence: str) -> None:
    with pytest.raises(RefusedError, match=sentence):
        swap(world, "none", holder)
    assert ask(world, "lock")["holder"] is None


@pytest.mark.parametrize("text", ["", '{"canary"', "[]", "{}"])
def test_a_damaged_record_is_not_an_absent_one(world: World, text: str) -> None:
    (world.memory.directory / "holder.json").write_text(text)
    with pytest.raises(RefusedError, match=r"holder\.json.*: remove it"):
        swap(world, "none", ANN)


def test_the_lock_needs_no_haproxy(world: World) -> None:
    world.haproxy.servers.clear()
    assert swap(world, "none", ANN)["done"]


def test_a_standby_replaces_the_live_colour_until_it_may_no_longer(world: World) -> None:
    assert ask(world, "standby --colour green")["fallback"] == ["green-1", "green-2"]
    assert {"green-1", "green-2"} <= world.haproxy.standing_in()
    assert ask(world, "standby --colour green --off")["fallback"] == []
    assert world.haproxy.standing_in() == {"blue-1", "blue-2"}


def test_only_an_idle_colour_that_is_up_is_a_standby(world: World) -> None:
    with pytest.raises(RefusedError, match="blue carries traffic"):
        ask(world, "standby --colour blue")
    world.traffic.set("green", 0.2, lease=15)
    for option in ("", " --off"):
        with pytest.raises(RefusedError, match="green carries traffic"):
            ask(world, f"standby --colour green{option}")
    world.traffic.release()
    for name in ("green-1", "green-2"):
        world.haproxy.servers[name].healthy = False
    with pytest.raises(RefusedError, match="No server of colour green is up"):
        ask(world, "standby --colour green")


def test_after_a_promotion_a_new_release_on_the_old_colour_is_no_way_back(world: World) -> None:
    world.traffic.promote("green")
    assert world.memory.fallback == ("blue-1", "blue-2")
    ask(world, "standby --colour blue --off")  # a release is installed on blue
    world.traffic.promote("blue")
    assert world.memory.fallback == ("green-1", "green-2"), "green is the release before"
