"""``canary run`` with a real HAProxy and the AWS API of the local cloud."""

from __future__ import annotations

import json

import pytest

from tests.support.canary_load import Behaviour
from tests.support.canary_world import World
from tests.support.marks import needs_haproxy

pytestmark = [pytest.mark.timeout(600), needs_haproxy]


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
