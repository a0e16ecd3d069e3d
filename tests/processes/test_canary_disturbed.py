"""``canary run`` that is disturbed, with a real HAProxy and the AWS API of the local cloud.

None of them promotes its candidate: the live release keeps all traffic.
"""

from __future__ import annotations

import json
import signal
import time

import pytest

from tests.support.canary_world import World
from tests.support.marks import needs_haproxy

pytestmark = [pytest.mark.timeout(600), needs_haproxy]
STARTING = 20
"""Seconds that Python may need to start on a busy machine."""


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
