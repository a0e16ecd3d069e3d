"""Build the wheels of the project from the tracked files."""

from __future__ import annotations

import csv
import math
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT

POLICY = """\
version: 1
period: 60s
metrics:
  - {name: latency, kind: latency, harm: increase, margin: 10%}
"""


def checkout(directory: Path, *, links: bool = False) -> Path:
    """Copy the tracked files, so that a build changes nothing here. ``links`` includes links."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in listed.stdout.split("\0"):
        linked = links and (ROOT / name).is_symlink()
        if name and (linked or (ROOT / name).is_file()):
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, directory / name, follow_symlinks=not linked)
    return directory


def build(project: Path, directory: Path) -> Path:
    """Build the wheel of ``project`` into ``directory``."""
    pip("wheel", "--no-deps", "--wheel-dir", directory, project)
    (wheel,) = directory.glob("*.whl")
    return wheel


def pip(*arguments: str | Path, python: str | Path = sys.executable) -> None:
    command = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run([str(word) for word in command], check=True)


def window(directory: Path, *, slower: float) -> list[str]:
    """Write a policy and an hour of latencies; return the arguments to judge them."""
    (directory / "policy.yml").write_text(POLICY)
    with (directory / "points.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["time", "arm", "instance", "metric", "value", "samples", "spread"])
        for period in range(60):
            for arm, level in (("baseline", 20.0), ("candidate", 20.0 * slower)):
                value = level * (1 + 0.01 * math.sin(7.1 * period + len(arm)))
                at = 1_800_000_000 + 60 * period
                rows.writerow([at, arm, f"i-{arm}", "latency", value, 500, 0.5])
    return ["analyze", "--policy", "policy.yml", "--csv", "points.csv"]
