"""Two controllers move traffic at the same time, with both kinds of state.

Each reads the proxy, decides, and stops before its first command that moves traffic. When both have
stopped, both continue. So each has decided on a state that the other changes.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml

from tests.support.canary_load import send_requests
from tests.support.canary_world import World
from tests.support.laptops import two_laptops
from tests.support.marks import needs_haproxy
from tests.support.paths import short_directory

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200), needs_haproxy]
MOVES = ("promote", "release")
GATE = """#!/bin/sh
if [ "$CANARY_TEST_MEET" ]; then
  case " $* " in {moves})
    : > "$CANARY_TEST_MEET/$PPID"
    until [ "$(ls "$CANARY_TEST_MEET" | wc -l)" -ge 2 ]; do sleep 0.05; done ;;
  esac
fi
"""


@pytest.fixture(params=["file", "aws"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    if request.param == "file":
        with two_laptops(monkeypatch) as made:
            yield gated(made, monkeypatch)
        return
    with short_directory() as directory, World(directory) as made:
        yield gated(made, monkeypatch)


def gated(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Let commands that move traffic wait for each other, if a test requests it."""
    for policy in world.directory.glob("*/.run/test/canary.yml"):
        document = yaml.safe_load(policy.read_text())
        document["environment"]["traffic"]["timeout"] = 200  # seconds of waiting at the gate
        policy.write_text(yaml.safe_dump(document))
    done = world.run("deploy", "v2", "--everywhere")
    assert done.returncode == 0, done.stderr
    meet = world.directory / "meet"
    meet.mkdir()
    ssh = world.directory / "bin/ssh"
    gate = GATE.format(moves="|".join(f'*" {word} "*' for word in MOVES))
    ssh.write_text(ssh.read_text().replace("#!/bin/sh\n", gate, 1))
    monkeypatch.setenv("CANARY_TEST_MEET", "")
    return world


def at_once(
    world: World, monkeypatch: pytest.MonkeyPatch, *commands: tuple[str, ...]
) -> list[subprocess.CompletedProcess[str]]:
    """Run two commands that meet before they move traffic."""
    monkeypatch.setenv("CANARY_TEST_MEET", str(world.directory / "meet"))
    started = [world.canary(*words) for words in commands]
    monkeypatch.setenv("CANARY_TEST_MEET", "")
    done = []
    for words, process in zip(commands, started, strict=True):
        out, err = process.communicate(timeout=300)
        done.append(subprocess.CompletedProcess(words, process.returncode, out, err))
    assert len(list((world.directory / "meet").iterdir())) == 2, done
    return done


def raised(world: World) -> None:
    """Give the candidate traffic, as a canary does."""
    world.traffic.set("green", 0.2, lease=3000)


def live(world: World) -> str:
    """Return the live colour, on which proxy and state must agree."""
    found = world.status()
    assert found["differences"] == [], found
    assert found["live"] == found["proxy"]["live"]
    return str(found["live"])


def test_two_promotions_at_once_are_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    raised(world)
    both = at_once(world, monkeypatch, ("promote",), ("promote",))
    assert [one.returncode for one in both] == [0, 0], both
    assert live(world) == "green"
    assert world.status()["colours"]["blue"]["standby"], "a rollback is possible"
    back = world.run("rollback")
    assert back.returncode == 0, back.stderr
    assert live(world) == "blue"


def test_two_rollbacks_at_once_are_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    raised(world)
    assert world.run("promote").returncode == 0
    both = at_once(world, monkeypatch, ("rollback",), ("rollback",))
    assert [one.returncode for one in both] == [0, 0], both
    assert live(world) == "blue"


def test_of_a_promotion_and_a_rollback_at_once_one_wins(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised(world)
    promoted, rolled_back = at_once(world, monkeypatch, ("promote",), ("rollback",))
    won = live(world)
    statuses = (promoted.returncode, rolled_back.returncode)
    assert statuses == ((0, 2) if won == "green" else (2, 0)), (promoted, rolled_back)
    lost = promoted if won == "blue" else rolled_back
    assert "Traceback" not in lost.stderr
    verdicts = {row["verdict"] for row in json.loads(world.run("history", "--json").stdout)}
    assert ("PROMOTED" in verdicts, "ROLLED BACK" in verdicts) == (won == "green", won == "blue")


@contextmanager
def shoppers(world: World) -> Iterator[None]:
    stop = threading.Event()
    threads = [threading.Thread(target=send_requests, args=(world.port, stop)) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("word", ["promote", "rollback"])
def test_a_canary_that_promotes_and_a_person_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """The person decides while the candidate has traffic, and moves it when the canary does."""
    with shoppers(world):
        monkeypatch.setenv("CANARY_TEST_MEET", str(world.directory / "meet"))
        canary = world.canary("run", "--candidate", "v2", "--json")
        world.wait_for_weight(canary)
        person = world.canary(word)
        monkeypatch.setenv("CANARY_TEST_MEET", "")
        told, _ = canary.communicate(timeout=800)
        _, error = person.communicate(timeout=300)
    outcome = json.loads(told)
    found = world.status()
    assert found["canary"] is None
    assert found["live"] == found["proxy"]["live"], (outcome, error)
    assert found["differences"] == []
    assert outcome["live"] == found["live"], (outcome, error)
    if word == "rollback":
        assert person.returncode == (0 if found["live"] == "blue" else 2), (outcome, error)
        assert (outcome["verdict"] == "PASS") == (found["live"] == "green"), (outcome, error)
    else:
        assert found["live"] == "green", (outcome, error)
        assert person.returncode == 0, (outcome, error)
