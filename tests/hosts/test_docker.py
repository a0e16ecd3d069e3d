"""The local cloud works with Docker, whose firewall drops unknown packets."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="network namespaces need root"
    ),
]
# The rules of Docker's daemon, as `nft list ruleset` shows them on Debian 12.
DOCKER = """
table ip filter {
  chain DOCKER-USER { counter return; }
  chain FORWARD { type filter hook forward priority filter; policy drop; jump DOCKER-USER; }
}
"""
SCRIPT = """
import json, subprocess, sys
from pathlib import Path
from local_cloud import docker
from local_cloud.settings import Settings

settings = Settings(Path("/s"), Path("/c"), bridge="ccit")
subprocess.run(["nft", "-f", "-"], input=sys.argv[1], text=True, check=True)
look = lambda: subprocess.run(
    ["nft", "--stateless", "list", "ruleset"], capture_output=True, text=True, check=True
).stdout
before = look()
docker.admit(settings)
docker.admit(settings)
during = look()
docker.dismiss(settings)
print(json.dumps({"before": before, "during": during, "after": look()}))
"""


def look(ruleset: str) -> dict[str, str]:
    finished = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", SCRIPT, ruleset],
        capture_output=True,
        text=True,
        check=True,
    )
    seen: dict[str, str] = json.loads(finished.stdout)
    return seen


def test_hosts_pass_before_docker_drops_them() -> None:
    seen = look(DOCKER)
    rules = [line.strip() for line in seen["during"].splitlines() if "accept" in line]
    assert [rule.split(" counter")[0] for rule in rules if "ccit" in rule] == [
        'oifname "ccit"',
        'iifname "ccit"',
    ]
    assert seen["during"].index("ccit") < seen["during"].index("return")
    assert seen["after"] == seen["before"]


def test_without_docker_nothing_is_touched() -> None:
    seen = look("table ip other { }")
    assert seen["before"] == seen["during"] == seen["after"]
