"""``state: file``: a real HAProxy, no AWS, no boto3, and two laptops, each with its own files."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.canary_world import World
from tests.support.paths import ROOT, short_directory


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
        """Return the commands that the proxy has received since the last call."""
        lines = self.log.read_text().splitlines()
        self.log.write_text("")
        return [line.split("canary@proxy ")[1].split()[0] for line in lines]


@contextmanager
def two_laptops(monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptops]:
    """Yield a world without AWS."""
    with short_directory() as directory:
        without_aws = directory / "without-aws"
        for module in ("boto3", "botocore"):
            (without_aws / module).mkdir(parents=True)
            (without_aws / module / "__init__.py").write_text('raise ImportError("no AWS")\n')
        monkeypatch.setenv("PYTHONPATH", f"{without_aws}:{ROOT}")
        with Laptops(directory) as made:
            yield made
