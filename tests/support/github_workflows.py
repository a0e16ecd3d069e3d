"""The GitHub workflows of this repository and its examples: jobs, steps, and running a step."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.paths import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = [
    *sorted((GITHUB / "workflows").glob("*.yml")),
    *sorted((ROOT / "examples").glob("*/.github/workflows/*.yml")),
]
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))


@dataclass(frozen=True)
class Step:
    """One step of a job, or of an action of ours."""

    file: Path
    job: str
    body: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.body.get("name") or self.body.get("uses"))

    @property
    def script(self) -> str | None:
        return self.body.get("run")

    def __str__(self) -> str:
        return f"{self.file.parent.name}/{self.file.stem}:{self.job}:{self.name}"


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def jobs() -> Iterator[tuple[Path, str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in load(path)["jobs"].items():
            yield path, name, job


def steps() -> list[Step]:
    found = [Step(path, name, step) for path, name, job in jobs() for step in job["steps"]]
    for path in ACTIONS:
        found += [Step(path, "action", step) for step in load(path)["runs"]["steps"]]
    return found


def step(file: str, name: str) -> Step:
    (found,) = [each for each in steps() if each.file.match(file) and each.name == name]
    return found


def run(
    each: Step, place: Path, variables: Mapping[str, str], programs: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the script of a step like GitHub, with `place` as the working directory."""
    tools = Path(sys.executable).parent
    path = os.pathsep.join([*([str(programs)] if programs else []), str(tools), os.environ["PATH"]])
    files = {name: str(place / name.lower()) for name in ("GITHUB_STEP_SUMMARY", "GITHUB_ENV")}
    environment: Mapping[str, str] = {**os.environ, **files, "PATH": path, **variables}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", each.script or "exit 99"],
        cwd=place,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
