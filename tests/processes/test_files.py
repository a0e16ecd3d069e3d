"""``state: file`` with a real HAProxy: no AWS, no boto3, and two laptops."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.canary_load import send_requests
from tests.support.canary_world import World
from tests.support.marks import needs_haproxy
from tests.support.paths import ROOT, short_directory

pytestmark = [
    pytest.mark.timeout(600),
    needs_haproxy,
]


class Laptops(World):
    """A proxy, and two directories from which releases are made."""

    def _start(self) -> None:
        self._start_proxy()
        self._write_repository()
        self.mine, self.other = self.repository, self.directory / "other"
        self.other.mkdir()
        for laptop in (self.mine, self.other):
            path = laptop / ".run/test/canary.yml"
            path.parent.mkdir(parents=True)
            path.write_text(yaml.safe_dump(self._policy()))
        ssh = self.directory / "bin/ssh"
        ssh.write_text(ssh.read_text().replace("exec ", f'echo "$@" >> {self.log}\nexec ', 1))

    def _policy(self) -> dict[str, Any]:
        hook = ["sh", "-c", f"echo {{colour}} {{release}} >> {self.deployed}"]
        return {
            "version": 1,
            "period": 5,
            "warmup": 5,
            "minimum": 20,
            "maximum": 120,
            "traffic_rule": {"minimum_samples": 50, "split_tolerance": "20 points"},
            "metrics": [
                {"name": "errors", "kind": "count", "source": "proxy.errors", "negligible": "3%"}
            ],
            "environment": {
                "name": "test",
                "source": "proxy",
                "state": "file",
                "traffic": {"kind": "haproxy", "host": "proxy", "key": "k", "known_hosts": "h"},
                "hooks": {"deploy": {"command": hook, "timeout": 20}},
            },
        }

    @property
    def log(self) -> Path:
        return self.directory / "asked.txt"

    def at(self, laptop: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command on a laptop."""
        self.repository = laptop
        return self.run(*words)

    def asked(self) -> list[str]:
        """Return the words that the proxy was asked since the last call."""
        lines = self.log.read_text().splitlines()
        self.log.write_text("")
        return [line.split("canary@proxy ")[1].split()[0] for line in lines]


@pytest.fixture
def laptops(monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptops]:
    with short_directory() as directory:
        without_aws = directory / "without-aws"
        for module in ("boto3", "botocore"):
            (without_aws / module).mkdir(parents=True)
            (without_aws / module / "__init__.py").write_text('raise ImportError("no AWS")\n')
        monkeypatch.setenv("PYTHONPATH", f"{without_aws}:{ROOT}")
        with Laptops(directory) as made:
            yield made


def test_files_and_proxy_agree_or_nothing_moves(laptops: Laptops) -> None:
    mine, other = laptops.mine, laptops.other
    new = laptops.at(mine, "status")
    assert new.returncode == 2
    assert "There is no .run/test/state/live.json" in new.stderr
    assert "canary promote --env test --colour blue" in new.stderr
    first = laptops.at(mine, "deploy", "v2", "--everywhere")
    assert first.returncode == 0, first.stderr
    assert "blue is live, green is its standby" in first.stdout
    assert laptops.at(mine, "status").returncode == 0

    for words in (("rollback",), ("deploy", "v2")):
        refused = laptops.at(other, *words)
        assert refused.returncode == 2, refused.stdout
        assert "the files in .run/test/state do not have it" in refused.stderr
        assert "canary promote --env test --colour blue" in refused.stderr
    named = laptops.at(other, "promote", "--colour", "green")
    assert named.returncode == 0, named.stderr

    behind = laptops.at(mine, "status")
    assert behind.returncode == 1
    assert "do not have it" in behind.stdout
    assert "blue" in behind.stdout
    assert "but the proxy serves green" in behind.stdout
    assert laptops.at(mine, "rollback").returncode == 2
    back = laptops.at(mine, "rollback", "--colour", "blue")
    assert back.returncode == 0, back.stderr
    assert laptops.at(mine, "status").returncode == 0
    rows = json.loads(laptops.at(mine, "history", "--json").stdout)
    assert [row["verdict"] for row in rows] == ["ROLLED BACK", "DEPLOYED"]


@pytest.mark.long
def test_a_split_by_somebody_else_is_judged_without_a_word_that_changes_it(
    laptops: Laptops,
) -> None:
    laptops.at(laptops.mine, "deploy", "v2", "--everywhere")
    command = [sys.executable, str(ROOT / "tests/support/canary_ssh.py"), "canary@proxy", "set"]
    subprocess.run(
        [*command, "--candidate", "green", "--share", "0.3", "--lease", "600"],
        env={"CANARY_TEST_PROXY": str(laptops.directory / "traffic.json"), "PATH": "/usr/bin"},
        check=True,
    )
    laptops.asked()
    stop = threading.Event()
    shoppers = [threading.Thread(target=send_requests, args=(laptops.port, stop)) for _ in range(3)]
    for shopper in shoppers:
        shopper.start()
    try:
        done = laptops.at(laptops.mine, "run", "--observe", "--json")
    finally:
        stop.set()
        for shopper in shoppers:
            shopper.join()
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["traffic"] == "Traffic was not touched."
    assert set(laptops.asked()) == {"status"}
    assert laptops.green_weight() > 0
