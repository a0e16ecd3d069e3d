"""``playbooks/patch.yml``: updates are judged on the idle colour before the live one gets them."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.demo import SHOPPERS, Hosts, failures, wait_for_shoppers
from tests.support.paths import ROOT
from tests.support.session_cloud import SessionCloud

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
PUBLISH = "/usr/local/sbin/publish-package"
ASIDE = "/root/sources"
DROP_IN = "/usr/lib/systemd/system/shop.service.d/slow.conf"
SLOW = "[Service]\\nEnvironment=SHOP_FAULTS=latency=400ms\\n"


def servers(cloud: SessionCloud) -> list[str]:
    return sorted(name for name in cloud.hosts() if "-app-" in name)


def publish(cloud: SessionCloud, version: str, path: str = "", content: str = "") -> None:
    """Offer a version of the package to every app host."""
    for host in servers(cloud):
        cloud.ssh(host, f'printf "{content}" | {PUBLISH} outdated {version} {path}')


def installed(cloud: SessionCloud, colour: str) -> set[str]:
    """Return the versions of the package on the hosts of a colour."""
    query = 'dpkg-query --show --showformat="\\${Version}" outdated'
    return {cloud.ssh(host, query).strip() for host in servers(cloud) if colour in host}


def newest_verdict(cloud: SessionCloud) -> str:
    rows = json.loads(cloud.output("canary", "history", "--env", "local", "--json"))
    return str(rows[0]["verdict"])


@pytest.fixture(scope="module")
def outdated(cloud: SessionCloud) -> Iterator[SessionCloud]:
    """Every app host has version 1 of a package, and only its own repository."""
    script = base64.b64encode((ROOT / "tests/support/debian_packages.py").read_bytes()).decode()
    for host in servers(cloud):
        cloud.ssh(
            host,
            f"mkdir -p {ASIDE} && mv /etc/apt/sources.list* {ASIDE} "
            "&& mkdir -p /etc/apt/sources.list.d "
            f"&& echo {script} | base64 -d > {PUBLISH} && chmod 755 {PUBLISH} "
            f"&& {PUBLISH} outdated 1.0 && apt-get update -qq "
            "&& apt-get install -qq --yes outdated",
        )
    cloud.output("ansible-playbook", "playbooks/load.yml", "-e", f"users={SHOPPERS}")
    wait_for_shoppers()
    yield cloud
    cloud.output("ansible-playbook", "playbooks/load.yml", "-e", "load=stop")
    for host in servers(cloud):
        cloud.ssh(
            host,
            "dpkg --purge outdated && systemctl daemon-reload && systemctl restart shop "
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


@pytest.mark.rare
def test_updates_that_make_hosts_slower_are_refused_and_the_traffic_goes_back(
    outdated: SessionCloud,
) -> None:
    publish(outdated, "2.0", DROP_IN, SLOW)
    live, failed = outdated.status()["live"], failures(Hosts())
    refused = patch(outdated)
    told = " ".join(refused.stdout.split())
    assert refused.returncode != 0, told[-5000:]
    assert "did not pass" in told
    assert f"The other colour ({live}) is live and was not updated." in told
    assert "run this playbook again" in told
    assert newest_verdict(outdated) == "FAIL"
    status = outdated.status()
    assert (status["live"], status["differences"], outdated.share(live)) == (live, [], 1)
    assert installed(outdated, live) == {"1.0"}
    assert failures(Hosts()) == failed


def test_updates_are_judged_and_reach_both_colours_without_a_failed_request(
    outdated: SessionCloud,
) -> None:
    publish(outdated, "3.0")
    before, failed = outdated.status()["live"], failures(Hosts())
    done = patch(outdated)
    assert done.returncode == 0, done.stdout[-5000:]
    assert installed(outdated, "") == {"3.0"}
    status = outdated.status()
    assert (status["live"] != before, status["differences"]) == (True, [])
    assert newest_verdict(outdated) == "PASS"
    assert failures(Hosts()) == failed
