"""The command line as a test sees it: a directory with one environment, and a shell.

``shell`` and ``replaced`` are for ``pytest.fixture``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from canary import cli
from tests.support.policies import SHORT
from tests.unit.canary.rollout_world import World
from tests.unit.canary.test_environment import GOOD

POLICY: dict[str, Any] = {**SHORT, "environment": {**GOOD, "name": "test"}}


class Shell:
    """Runs the command as a shell would: status, stdout, stderr."""

    def __init__(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.monkeypatch = monkeypatch
        self.capsys = capsys
        monkeypatch.chdir(directory)
        monkeypatch.delenv("CANARY_ENV", raising=False)
        self.policy = directory / ".run" / "test" / "canary.yml"
        self.policy.parent.mkdir(parents=True)
        self.policy.write_text(yaml.safe_dump(POLICY))

    def __call__(self, *words: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr("sys.argv", ["canary", *words])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        out, err = self.capsys.readouterr()
        assert isinstance(exit_.value.code, int)
        return exit_.value.code, out, err


def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """Return the shell of one test."""
    return Shell(tmp_path, monkeypatch, capsys)


def replaced(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a simulated world, which replaces proxy and AWS for the commands."""
    made = World()
    for module in ("alarms", "approve", "assemble", "common", "deploy", "history", "status"):
        monkeypatch.setattr(f"canary.cli.{module}.state_of", lambda _: made.state)
    for module in ("assemble", "deploy", "status"):
        monkeypatch.setattr(f"canary.cli.{module}.traffic_of", lambda _: made.proxy)
    return made
