"""Find and run scenarios; the log and the host's journal are saved."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT

LOGS = ROOT / ".run" / "molecule" / "logs"
LAST_LINES = 60


@dataclass(frozen=True, order=True)
class Scenario:
    role: str
    name: str

    @property
    def log(self) -> Path:
        return LOGS / f"{self.role}-{self.name}.log"

    @property
    def journal(self) -> Path:
        return LOGS / f"{self.role}-{self.name}.journal"


@dataclass(frozen=True)
class Outcome:
    scenario: Scenario
    passed: bool
    seconds: float
    again: bool = False

    def log_end(self) -> str:
        """Return the end of Ansible's output and of the host's journal."""
        parts = []
        for path in (self.scenario.log, self.scenario.journal):
            if path.exists():
                lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
                parts += [f"---- the end of {path.relative_to(ROOT)}", *lines[-LAST_LINES:]]
        return "\n".join(parts)


def scenarios(roles: Path = ROOT / "roles") -> list[Scenario]:
    found = roles.glob("*/molecule/*/molecule.yml")
    return sorted(Scenario(path.parents[2].name, path.parent.name) for path in found)


def run(scenario: Scenario, roles: Path = ROOT / "roles") -> Outcome:
    """Run a complete scenario, with all output in its log."""
    LOGS.mkdir(parents=True, exist_ok=True)
    scenario.journal.unlink(missing_ok=True)
    began = time.monotonic()
    with scenario.log.open("wb") as output:
        done = subprocess.run(
            ["molecule", "test", "--scenario-name", scenario.name],
            cwd=roles / scenario.role,
            env={**os.environ, "MOLECULE_JOURNAL": str(scenario.journal)},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    return Outcome(scenario, done.returncode == 0, time.monotonic() - began)
