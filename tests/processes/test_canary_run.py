"""``canary run`` with a real HAProxy and the AWS API of the local cloud."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator

import pytest

from tests.support.canary_load import Behaviour
from tests.support.canary_world import World
from tests.support.marks import needs_haproxy
from tests.support.paths import short_directory

pytestmark = [
    pytest.mark.timeout(600),
    needs_haproxy,
]
STARTING = 20
"""Seconds that Python may need to start on a busy machine."""


@pytest.fixture
def world() -> Iterator[World]:
    with short_directory() as directory, World(directory) as made:
        yield made


def promotes(world: World) -> None:
    """Release v2, and check all results of a promotion."""
    done = world.run("run", "--candidate", "v2", "--json")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["verdict"] == "PASS"
    found = world.status()
    assert found["live"] == found["proxy"]["live"] == "green"
    assert [found["release"]] == found["colours"]["green"]["releases"] == [world.release("green")]
    assert found["colours"]["blue"]["standby"]
    assert found["colours"]["green"]["verdict"]["verdict"] == "PASS"
    assert found["canary"] is None
    directory = world.repository / outcome["directory"]
    assert {"recording.json", "report.html", "report.json", "report.md", "policy.yml"} <= {
        path.name for path in directory.iterdir()
    }
    objects = world.client("s3").list_objects_v2(Bucket="releases")["Contents"]
    keys = [item["Key"] for item in objects]
    assert f"canaries/{outcome['canary']}/recording.json" in keys
    assert world.marks() == ["PASS v2"]
    told = world.told_weights("green")
    assert (told[0][0], told[-1][1]) == (0, 100)
    assert any(5 < greatest < 35 for _, greatest in told), "the step of 20 %"
    replayed = world.run("replay", str(directory / "recording.json"), "--json")
    assert replayed.returncode == 0


def test_a_good_release_is_promoted_and_a_bad_one_refused(world: World) -> None:
    promotes(world)
    (world.repository / "app" / "bad.py").write_text('"""Bad."""\n')
    world.behaviour = Behaviour(latency=1.0)
    back = world.run("rollback", "--json")
    assert back.returncode == 0, back.stderr
    assert world.status()["live"] == "blue"
    world.behaviour = Behaviour(latency=1.8)
    done = world.run("run", "--candidate", ".", "--json")
    assert done.returncode == 1, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["verdict"] == "FAIL"
    assert "atency" in outcome["reason"]
    assert world.green_weight() == 0
    found = world.status()
    assert found["live"] == found["proxy"]["live"] == "blue"
    history = json.loads(world.run("history", "--json").stdout)
    assert [row["verdict"] for row in history] == ["FAIL", "ROLLED BACK", "PASS"]
    assert [mark.split()[0] for mark in world.marks()] == ["PASS", "FAIL"]
    assert world.told_weights("green")[-1][0] == 0
    nothing = world.run("rollback")
    assert nothing.returncode == 2, "what failed is no release to return to"
    assert "Nothing was rolled back" in nothing.stderr
    refused = world.run("promote", "--colour", "green")
    assert refused.returncode == 2
    assert "its release failed canary" in refused.stderr
    assert world.status()["proxy"]["live"] == "blue"


def test_another_release_on_the_candidates_hosts_is_never_promoted(world: World) -> None:
    process = world.canary("run", "--candidate", "v2", "--json")
    world.wait_for_weight(process)
    refused = world.run("deploy", "v2")
    assert refused.returncode == 2, "the canary has the lock"
    assert "is already running" in refused.stderr
    with world.deployed.open("a") as deployed:  # as a playbook by hand would do, without the lock
        deployed.write("green 777777777777 by-hand none\n")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 2, err
    outcome = json.loads(out)
    assert outcome["verdict"] is None
    assert "green-1 reports 777777777777, not" in outcome["reason"]
    assert world.green_weight() == 0
    found = world.status()
    assert found["live"] == found["proxy"]["live"] == "blue"


def test_a_signal_takes_the_weight_back(world: World) -> None:
    process = world.canary("run", "--candidate", "v2", "--json")
    world.wait_for_weight(process)
    second = world.run("run", "--candidate", "v2")
    assert second.returncode == 2
    assert "is already running" in second.stdout + second.stderr
    assert world.green_weight() > 0
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 2, err
    assert "SIGTERM" in json.loads(out)["reason"]
    assert world.green_weight() == 0
    assert world.status()["canary"] is None


def test_a_killed_canary_loses_its_weight_within_two_periods(world: World) -> None:
    process = world.canary("run", "--candidate", "v2")
    world.wait_for_weight(process)
    time.sleep(2)
    process.kill()
    killed = time.monotonic()
    process.communicate()
    # The lease is 9 s. Here a Python process resets the weight when it expires; on a host it is a
    # systemd timer.
    while world.green_weight():
        assert time.monotonic() - killed < 9 + STARTING
        time.sleep(0.05)


def test_silent_metrics_end_it_undecided(world: World) -> None:
    process = world.canary("run", "--candidate", "v2", "--json")
    world.wait_for_weight(process)
    time.sleep(5)
    world.publisher.publishing = False
    out, err = process.communicate(timeout=240)
    assert process.returncode == 3, err
    assert json.loads(out)["verdict"] == "INCONCLUSIVE"
    assert world.green_weight() == 0
