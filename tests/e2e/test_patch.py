"""``playbooks/patch.yml``: updates are judged on the idle colour, and only then reach the other."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import pytest

from tests.support.paths import ROOT
from tests.support.session_cloud import SessionCloud
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
PUBLISH = "/usr/local/sbin/publish-package"
ASIDE = "/root/sources"
ENOUGH = 600
USERS = 150  # three times 50 requests a second, so that a canary ends within minutes


def servers(cloud: SessionCloud) -> list[str]:
    return sorted(name for name in cloud.hosts() if "-app-" in name)


def installed(cloud: SessionCloud) -> dict[str, str]:
    """Return the version of the package on each app host."""
    query = 'dpkg-query --show --showformat="\\${Version}" outdated'
    return {host: cloud.ssh(host, query).strip() for host in servers(cloud)}


def requests(cloud: SessionCloud) -> dict[str, Any]:
    """Return how many requests Locust has sent, and how many failed."""
    url = f"http://{cloud.hosts()['local-monitor-1']}:8089/stats/requests"
    with urlopen(url, timeout=30) as reply:
        total: dict[str, Any] = json.load(reply)["stats"][-1]
    return total


def newest_verdict(cloud: SessionCloud) -> str:
    rows = json.loads(cloud.output("canary", "history", "--env", "local", "--json"))
    return str(rows[0]["verdict"])


@pytest.fixture
def outdated(cloud: SessionCloud) -> Iterator[SessionCloud]:
    """Every app host has version 1 of a package; their only repository offers version 2."""
    script = base64.b64encode((ROOT / "tests/support/debian_packages.py").read_bytes()).decode()
    for host in servers(cloud):
        cloud.ssh(
            host,
            f"mkdir -p {ASIDE} && mv /etc/apt/sources.list* {ASIDE} "
            "&& mkdir -p /etc/apt/sources.list.d "
            f"&& echo {script} | base64 -d > {PUBLISH} && chmod 755 {PUBLISH} "
            f"&& {PUBLISH} outdated 1.0 && apt-get update -qq "
            f"&& apt-get install -qq --yes outdated && {PUBLISH} outdated 2.0",
        )
    cloud.output("ansible-playbook", "playbooks/load.yml", "-e", f"users={USERS}")
    wait_for(lambda: requests(cloud)["num_requests"] > ENOUGH, "shoppers shop", 300)
    yield cloud
    cloud.output("ansible-playbook", "playbooks/load.yml", "-e", "load=stop")
    for host in servers(cloud):
        cloud.ssh(
            host,
            "dpkg --purge outdated "
            f"&& rm -rf /etc/apt/sources.list* && mv {ASIDE}/* /etc/apt && rmdir {ASIDE}",
        )


def patch(cloud: SessionCloud) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["ansible-playbook", "playbooks/patch.yml"],
        cwd=ROOT,
        env=cloud.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_updates_are_judged_and_reach_both_colours_without_a_failed_request(
    outdated: SessionCloud,
) -> None:
    before = outdated.status()["live"]
    failed = requests(outdated)["num_failures"]
    done = patch(outdated)
    assert done.returncode == 0, done.stdout[-5000:]
    assert set(installed(outdated).values()) == {"2.0"}
    status = outdated.status()
    assert (status["live"] != before, status["differences"]) == (True, [])
    assert newest_verdict(outdated) == "PASS"
    assert requests(outdated)["num_failures"] == failed
