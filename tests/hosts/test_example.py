"""The README of ``examples/node`` on four booted hosts, command by command as printed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.local_cloud_machine import Cloud, output
from tests.support.paths import ROOT
from tests.support.walkthrough import COMMITTER, Said, sections, type_in

pytestmark = [pytest.mark.timeout(1800)]
EXAMPLE = ROOT / "examples/node"
NAMES = {10: "proxy", 11: "blue", 12: "green", 13: "monitor"}
#: With the times of the README, the walk would take twice as long.
SHORTER = {
    "period: 10s": "period: 5s",
    "warmup: 20s": "warmup: 10s",
    "minimum: 1m30s": "minimum: 30s",
    "scrape_interval: 5s": "scrape_interval: 2s",
}
PERIOD = 5
SECONDS = {"h": 3600, "min": 60, "s": 1}
SSH_CONFIG = """\
Host *
  IdentityFile {key}
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
"""


@dataclass(frozen=True)
class Newcomer:
    """A user with a copy of the example, and with SSH access to four hosts."""

    directory: Path
    blocks: dict[str, list[str]]
    environment: Mapping[str, str]

    def type_in(self, heading: str, number: int = 0, status: int = 0) -> Said:
        said = type_in(self.blocks[heading][number], self.directory, self.environment)
        assert said.status == status, f"{heading}: {said}"
        return said

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._typed("canary status --env prod --json"))
        return found

    def verdicts(self) -> list[str]:
        """Return the verdicts in the history, oldest first."""
        rows = json.loads(self._typed("canary history --env prod --json"))
        return [row["verdict"] for row in reversed(rows)]

    def _typed(self, command: str) -> str:
        return type_in(command, self.directory, self.environment).out

    @contextmanager
    def second_terminal(self, command: str) -> Iterator[None]:
        process = subprocess.Popen(
            command.split(),
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield
            assert process.poll() is None, "the load ended early"
        finally:
            process.terminate()
            process.wait()


@pytest.fixture
def newcomer(cloud: Cloud, tmp_path: Path) -> Iterator[Newcomer]:
    key = tmp_path / "id_ed25519"
    output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    network = str(cloud.settings.network[201 * 256]).removesuffix("0")
    for number, name in NAMES.items():
        cloud.command("host", "start", f"node-{name}", f"--ip={network}{number}", f"--key={key}")
    yield copied(tmp_path, key, network)
    for name in NAMES.values():
        cloud.command("host", "stop", f"node-{name}")


def copied(directory: Path, key: Path, network: str) -> Newcomer:
    """Copy the tracked files with the addresses of the hosts, and shorter times."""
    tracked = output("git", "-C", str(ROOT), "ls-files", str(EXAMPLE)).split()
    app = directory / "greeter"
    for name in tracked:
        source, target = ROOT / name, app / Path(name).relative_to("examples/node")
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8").replace("192.0.2.", network)
        for long, short in SHORTER.items():
            text = text.replace(long, short)
        target.write_text(text, encoding="utf-8")
        target.chmod(source.stat().st_mode)
    return Newcomer(app, sections(app / "README.md"), environment(directory, key))


def environment(directory: Path, key: Path) -> dict[str, str]:
    """Return the variables of a shell that reaches the hosts, without those of AWS."""
    tools = directory / "bin"
    tools.mkdir()
    (directory / "ssh_config").write_text(SSH_CONFIG.format(key=key))
    ssh = tools / "ssh"
    ssh.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {directory}/ssh_config "$@"\n')
    ssh.chmod(0o755)
    foreign = ("AWS_", "ANSIBLE_", "CANARY_", "CART_CANARY", "LOCAL_CLOUD")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {
        **kept,
        "PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_PIPELINING": "true",
        **COMMITTER,
    }


def seconds(text: str, before: str, after: str) -> int:
    """Return the duration that a sentence states between two words."""
    found = re.search(f"{before}(.*?){after}", text)
    assert found, text
    parts = re.findall(r"(\d+) (h|min|s)\b", found[1])
    return sum(int(number) * SECONDS[unit] for number, unit in parts)


def test_a_newcomer_gets_from_empty_hosts_to_a_rejected_release(newcomer: Newcomer) -> None:
    newcomer.type_in("Prepare the hosts")
    first = newcomer.type_in("Install the first release")
    assert "Enough for: " in first.out
    assert "blue is live, green is its standby" in first.out
    with newcomer.second_terminal(newcomer.blocks["Install the first release"][1]):
        releases(newcomer)
    assert newcomer.verdicts() == ["DEPLOYED", "DRILL", "PASS", "ROLLED BACK", "FAIL", "FAIL"]


def releases(newcomer: Newcomer) -> None:
    drill = newcomer.type_in("See the policy refuse").out
    refused = seconds(drill, r"Refused after \d+ periods? \(", r"\), as expected: Errors: ")
    planned = seconds(drill, "should refuse the candidate after about ", ";")
    assert 0 < refused <= planned + PERIOD, drill
    assert "The proxy is as before the drill" in drill

    good = newcomer.type_in("Release something good")
    assert "PASS" in good.out, good
    assert newcomer.status()["proxy"]["live"] == "green"
    back = newcomer.type_in("Release something good", 1)
    assert "blue" in back.out
    assert served(newcomer) == {"blue-1": 1.0, "green-1": 0.0}

    failing = newcomer.type_in("Release something that fails", status=1)
    assert "Errors: " in failing.out, failing
    assert served(newcomer) == {"blue-1": 1.0, "green-1": 0.0}

    slower = newcomer.type_in("Release something slower", status=1)
    assert "Latency: " in slower.out, slower
    assert served(newcomer) == {"blue-1": 1.0, "green-1": 0.0}


def served(newcomer: Newcomer) -> dict[str, float]:
    shares: dict[str, float] = newcomer.status()["proxy"]["shares"]
    return shares
