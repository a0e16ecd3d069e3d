"""Another team's app, without AWS, git or own metrics: the steps of docs/own-app.md.

A real HAProxy, two small servers, and commands as a user types them. boto3 cannot be imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.bare_world import BAD, DEPLOY, POLICY, Bare, bare_world, shorten
from tests.support.marks import needs_haproxy

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(600),
    needs_haproxy,
]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bare]:
    with bare_world(monkeypatch) as made:
        yield made


def test_a_stranger_has_a_judged_release_and_a_rollback(world: Bare) -> None:
    words = ("--source", "proxy", "--proxy", "proxy.example", "--deploy", DEPLOY)
    assert world.started("init", "test", *words)["file"] == str(POLICY)
    shorten(world.repository / POLICY)
    checked = world.started("check", str(POLICY))
    assert checked["missing"]["run"] == []  # type: ignore[index]

    unnamed = world.run("status")
    assert unnamed.returncode == 2
    assert "canary deploy REF --env test --everywhere" in unnamed.stderr
    assert "canary promote --env test --colour blue" in unnamed.stderr
    world.started("promote", "--colour", "blue")
    world.started("deploy", "1.0", "--everywhere")
    assert world.status()["release"] == "1.0"

    good = world.started("run", "--candidate", "1.1")
    assert (good["verdict"], good["live"]) == ("PASS", "green")
    assert world.status()["release"] == "1.1"
    assert (world.repository / str(good["report"])).is_file()

    bad = world.run("run", "--candidate", BAD, "--json")
    assert bad.returncode == 1, bad.stderr
    outcome = json.loads(bad.stdout)
    assert outcome["reason"].startswith("Errors: ")
    found = world.status()
    assert (found["live"], found["release"]) == ("green", "1.1")
    assert found["colours"]["blue"]["share"] == 0

    rows = json.loads(world.run("history", "--json").stdout)
    assert [row["verdict"] for row in rows][:3] == ["FAIL", "PASS", "DEPLOYED"]
    assert [row["candidate"] for row in rows][:3] == [BAD, "1.1", "1.0"]


def test_a_policy_for_cloudwatch_says_what_to_install(world: Bare) -> None:
    world.started("init", "test", "--source", "cloudwatch")
    refused = world.run("analyze", "--start", "-30m")
    assert refused.returncode == 2
    assert "pip install" in refused.stderr
    assert "Traceback" not in refused.stderr
