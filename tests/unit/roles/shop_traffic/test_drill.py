"""A drill: the allowed errors and delays, their duration, and their end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from shop_traffic import boot, cli
from shop_traffic.config import RefusedError
from shop_traffic.drill import Drill

from tests.support.proxy_world import ALL_BLUE, World

SET = ("set", "--candidate", "green", "--share", "0.1", "--lease", "9")


def asked(world: World, *words: str) -> dict[str, object]:
    answer = cli.answer(world.traffic, cli.parser().parse_args([*SET, *words]))
    assert answer is not None
    return answer


def colour(world: World) -> str:
    return world.haproxy.variables.get("proc.drill_colour", "")


def test_the_words_of_a_drill_reach_haproxy_and_are_read_back(world: World) -> None:
    answer = asked(world, "--errors", "0.03", "--delay", "200")
    assert answer["drill"] == {"errors": 0.03, "delay": 200, "writes": False}
    assert world.haproxy.variables == {
        "proc.drill_colour": "green",
        "proc.drill_reads": "30000",
        "proc.drill_writes": "0",
        "proc.drill_delay": "200",
    }
    assert asked(world, "--errors", "0.03", "--writes")["drill"] == {
        "errors": 0.03,
        "delay": 0,
        "writes": True,
    }


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--errors", "1.5"], "not between 0 and 1"),
        (["--errors", "-0.1"], "not between 0 and 1"),
        (["--errors", "nan"], "not between 0 and 1"),
        (["--delay", "60000"], "not between 0 and 10000"),
        (["--delay", "-1"], "not between 0 and 10000"),
        (["--errors", "0"], "adds errors or a delay"),
        (["--writes"], "adds errors or a delay"),
    ],
)
def test_a_drill_that_makes_no_sense_is_refused(
    world: World, words: list[str], sentence: str
) -> None:
    with pytest.raises(RefusedError, match=sentence):
        asked(world, *words)
    assert world.haproxy.weights() == ALL_BLUE
    assert world.haproxy.variables == {}


def test_traffic_goes_back_if_haproxy_does_not_take_the_drill(world: World) -> None:
    world.haproxy.deaf_to = "proc.drill_reads"
    with pytest.raises(RefusedError):
        asked(world, "--errors", "0.03")
    assert world.haproxy.weights() == ALL_BLUE
    assert world.memory.lease is None


@pytest.mark.parametrize("word", ["release", "promote", "set"])
def test_every_change_of_traffic_ends_a_drill(world: World, word: str) -> None:
    asked(world, "--errors", "0.03")
    endings: dict[str, Callable[[], dict[str, Any]]] = {
        "release": world.traffic.release,
        "promote": lambda: world.traffic.promote("green"),
        "set": lambda: world.traffic.set("green", 0.2, lease=9),
    }
    assert endings[word]()["drill"] is None
    assert colour(world) == "off"


def test_a_drill_ends_with_its_own_lease_alone(world: World) -> None:
    asked(world, "--errors", "0.03")
    first = world.memory.lease
    assert first is not None
    world.traffic.renew(9)
    renewed = world.memory.lease
    assert renewed is not None
    assert renewed.drill == Drill(errors=0.03)
    world.traffic.release(first.unit)
    assert colour(world) == "green"
    world.traffic.release(renewed.unit)
    assert colour(world) == "off"
    assert world.haproxy.weights() == ALL_BLUE


def test_a_new_worker_gets_the_drill_of_the_lease_and_no_other(world: World) -> None:
    asked(world, "--errors", "0.03")
    boot.save(world.traffic)
    world.haproxy.pid, world.haproxy.variables = 2, {}
    boot.restore(world.traffic)
    assert colour(world) == "green"
    world.traffic.release()
    boot.save(world.traffic)
    world.haproxy.pid, world.haproxy.variables = 3, {}
    boot.restore(world.traffic)
    assert world.haproxy.variables == {}


def test_without_a_drill_haproxys_experimental_mode_stays_off(world: World) -> None:
    world.traffic.set("green", 0.2, lease=9)
    world.traffic.release()
    assert not any("experimental" in line for line in world.haproxy.lines)


def test_errors_of_a_drill_count_as_errors_of_the_server(world: World) -> None:
    world.haproxy.servers["green-1"].errors = 2
    world.haproxy.servers["green-1"].denied = 3
    assert world.traffic.status()["errors"]["green-1"] == 5
