"""A drill on the shop: refused within the planned time, and it leaves nothing behind."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.demo import other, wait_for_shoppers
from tests.support.paths import ROOT
from tests.support.session_cloud import SessionCloud
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
PERIOD = 5
SHARE = 0.1
"""Share of the shoppers in the policy's first step."""
#: The app measures its own metrics and does not see what the proxy adds.
DRILL = ["canary", "drill", "--env", "local", "--errors", "20%", "--share", f"{SHARE:.0%}"]
DRILL += ["--writes", "--judge-proxy-errors"]
KEPT = ("live", "weights", "fallback", "drill", "lease_until")


@pytest.fixture(scope="module")
def busy(cloud: SessionCloud) -> Iterator[SessionCloud]:
    """The cloud with shoppers, and the live release on the standby."""
    live = cloud.status()["release"]
    cloud.output("canary", "deploy", live, "--env", "local")
    cloud.output("ansible-playbook", "playbooks/load.yml", "-e", "load=start", "-e", "users=100")
    wait_for_shoppers()
    yield cloud
    cloud.output("ansible-playbook", "playbooks/load.yml", "-e", "load=stop")


def kept(cloud: SessionCloud) -> dict[str, Any]:
    proxy = cloud.status()["proxy"]
    return {name: proxy[name] for name in KEPT}


def counted(cloud: SessionCloud, counter: str, colour: str) -> int:
    counters = cloud.status()["proxy"]["counters"][counter]
    return sum(count for server, count in counters.items() if server.startswith(colour))


def test_the_shops_policy_refuses_within_the_time_planned(busy: SessionCloud) -> None:
    before, live = kept(busy), busy.status()["live"]
    idle = other(live)
    errors = {colour: counted(busy, "errors", colour) for colour in (live, idle)}
    requests = {colour: counted(busy, "requests", colour) for colour in (live, idle)}

    done = subprocess.run(
        [*DRILL, "--json"], cwd=ROOT, env=busy.environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(done.stdout)
    assert (outcome["result"], outcome["left"]) == ("refused", "")
    assert outcome["seen_by"] == ["proxy_errors"]
    seen = json.loads((ROOT / outcome["directory"] / "recording.json").read_text())["recording"]
    took = seen["looks"][-1] - seen["steps"][0]["start"]
    planned = re.search(r"after about (\d+) s;", outcome["plan"])
    assert planned, outcome["plan"]
    assert 0 < took <= int(planned[1]) + PERIOD, outcome["plan"]

    assert counted(busy, "errors", live) == errors[live], "nobody on the live release saw an error"
    assert counted(busy, "errors", idle) > errors[idle]
    served = {colour: counted(busy, "requests", colour) - requests[colour] for colour in requests}
    assert served[idle] / sum(served.values()) <= 1.5 * SHARE, served
    assert kept(busy) == before


def test_a_drill_that_is_killed_ends_with_its_lease(busy: SessionCloud) -> None:
    before = kept(busy)
    drill = subprocess.Popen(
        DRILL,
        cwd=ROOT,
        env=busy.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: kept(busy)["drill"] is not None, "the drill", 240, pause=0.5)
    finally:
        drill.kill()
        drill.wait()
    wait_for(lambda: kept(busy) == before, "the proxy as before", 120, pause=0.5)
