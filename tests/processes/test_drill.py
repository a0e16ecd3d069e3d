"""``canary drill`` with a real HAProxy: refused in time, without remains, even after a kill."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.bare_world import DEPLOY, POLICY, Bare, bare_world, shorten
from tests.support.marks import needs_haproxy
from tests.support.waiting import wait_for

pytestmark = [
    pytest.mark.long,
    pytest.mark.rare,
    pytest.mark.timeout(600),
    needs_haproxy,
]
LEASE = 9
KEPT = ("live", "weights", "fallback", "drill", "candidate", "lease")


@pytest.fixture(scope="module")
def world() -> Iterator[Bare]:
    """A world with the live release on both colours."""
    with pytest.MonkeyPatch.context() as monkeypatch, bare_world(monkeypatch) as made:
        words = ("--source", "proxy", "--proxy", "proxy.example", "--deploy", DEPLOY)
        made.started("init", "test", *words)
        policy = made.repository / POLICY
        shorten(policy)
        policy.write_text(policy.read_text().replace("period: 2s", "period: 5s"))
        made.started("promote", "--colour", "blue")
        made.started("deploy", "1.0", "--everywhere")
        yield made


def proxy(world: Bare) -> dict[str, Any]:
    status = world.traffic.status()
    return {name: status[name] for name in KEPT}


def test_a_policy_refuses_the_errors_of_a_drill_in_the_time_planned(world: Bare) -> None:
    before = proxy(world)
    done = world.run("drill", "--errors", "20%", "--json")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["result"] == "refused"
    assert outcome["sentence"].startswith("Refused after ")
    assert "as expected: Errors: " in outcome["sentence"]
    assert "should refuse the candidate after about" in outcome["plan"]
    assert (outcome["live"], outcome["left"], outcome["seen_by"]) == ("blue", "", ["errors"])
    assert proxy(world) == before
    (row,) = json.loads(world.run("history", "--limit", "1", "--json").stdout)
    assert row["verdict"] == "DRILL"
    status = world.status()
    assert status["colours"]["green"]["standby"], "it still replaces blue if blue goes down"
    assert status["colours"]["green"]["verdict"] is None, "the release itself failed nothing"


def test_a_policy_refuses_the_delay_of_a_drill(world: Bare) -> None:
    """The proxy measures its users' waiting time, so no metric of the app is needed."""
    before = proxy(world)
    done = world.run("drill", "--delay", "500ms", "--json")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert (outcome["result"], outcome["seen_by"]) == ("refused", ["latency"])
    assert "Latency: " in outcome["sentence"]
    assert proxy(world) == before


def test_a_small_share_is_not_noticed(world: Bare) -> None:
    before = proxy(world)
    done = world.run("drill", "--errors", "0.5%", "--share", "20%")
    assert done.returncode == 1, done.stderr
    assert "Your policy did not notice the drill" in done.stdout
    assert "will hardly show this drill" in done.stdout
    assert "The proxy is as before the drill" in done.stdout
    assert proxy(world) == before


def test_a_killed_drill_ends_with_its_lease(world: Bare) -> None:
    before = proxy(world)
    process = world.canary("drill", "--errors", "50%")
    wait_for(lambda: proxy(world)["drill"] is not None, "the drill", 60)
    process.kill()
    process.wait()
    began = time.monotonic()
    wait_for(lambda: proxy(world) == before, "the proxy as before", 30)
    assert time.monotonic() - began < LEASE + 15


def test_ctrl_c_ends_a_drill_at_once(world: Bare) -> None:
    before = proxy(world)
    process = world.canary("drill", "--errors", "50%")
    wait_for(lambda: proxy(world)["drill"] is not None, "the drill", 90)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Stopped by" in err
    assert proxy(world) == before
