"""A canary is killed and the proxy reverts; then a person promotes and rolls back."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.demo import other, wait_for_shoppers
from tests.support.app_http import ask
from tests.support.paths import ROOT
from tests.support.releases import release
from tests.support.session_cloud import SessionCloud
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(900)]
LIMIT = 20.0
"""Two periods of 5 s, and the time of two calls of ``canary status`` beside other tests. `make
chaos` measures the time exactly.
"""


@dataclass(frozen=True)
class Killed:
    """The colours when a canary was killed, and the seconds until the candidate had no traffic."""

    live: str
    idle: str
    seconds: float


@pytest.fixture(scope="module")
def killed(cloud: SessionCloud) -> Iterator[Killed]:
    """Kill a canary with SIGKILL while its candidate has traffic."""
    cloud.output("ansible-playbook", "playbooks/load.yml", "-e", "load=start")
    wait_for_shoppers()
    live = cloud.status()["live"]
    idle = other(live)
    release("killed", "", f"A release whose canary is killed, {time.time_ns()}")
    canary = subprocess.Popen(
        ["canary", "run", "--env", "local", "--candidate", "refs/demo/killed"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: cloud.share(idle) > 0.05, "the candidate carries traffic", 180, 0.3)
    finally:
        canary.kill()
        canary.wait()
    began = time.monotonic()
    wait_for(lambda: cloud.share(idle) < 0.01, "the proxy takes the traffic back", 60, 0.3)
    yield Killed(live, idle, time.monotonic() - began)
    cloud.output("ansible-playbook", "playbooks/load.yml", "-e", "load=stop")


def test_a_killed_canary_loses_its_traffic(killed: Killed, cloud: SessionCloud) -> None:
    assert killed.seconds < LIMIT
    assert cloud.status()["live"] == killed.live


def colours_that_answer(cloud: SessionCloud) -> set[str]:
    url = f"http://{cloud.hosts()['local-proxy-1']}/status"
    answers = [ask(url) for _ in range(40)]
    assert {answer.status for answer in answers} == {200}
    return {answer.headers["x-colour"] for answer in answers}


def test_a_person_promotes_and_rolls_back(killed: Killed, cloud: SessionCloud) -> None:
    """Promote the release of the killed canary, then roll back."""
    cloud.output("canary", "promote", "--env", "local", "--colour", killed.idle)
    promoted: dict[str, Any] = cloud.status()
    assert promoted["live"] == killed.idle
    assert promoted["differences"] == []
    assert colours_that_answer(cloud) == {killed.idle}
    cloud.output("canary", "rollback", "--env", "local")
    back = cloud.status()
    assert back["live"] == killed.live
    assert back["differences"] == []
    assert colours_that_answer(cloud) == {killed.live}
