"""Mutations break a role, and its scenario must fail.

Each mutation changes a copy of the tree. If the scenario still passes, the exit status is 1. Run it
with ``python -m tests.molecule.mutations``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.molecule.scenarios import Scenario, run
from tests.support.paths import ROOT

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
INDENT = re.compile(r"^ *│ ?", re.MULTILINE)
TASK = re.compile(r"^TASK \[(.+?)\]", re.MULTILINE)
TREE = ROOT / ".run" / "mutations"


@dataclass(frozen=True)
class Mutation:
    """A change of a file, and the task that must fail after it."""

    name: str
    scenario: Scenario
    file: str
    before: str
    after: str
    noticed_by: str


MUTATIONS = (
    Mutation(
        name="wrong weight",
        scenario=Scenario("proxy", "default"),
        file="roles/proxy/files/shop_traffic/plan.py",
        before="wanted = share / len(split.candidate)",
        after="share = share / 2; wanted = share / len(split.candidate)",
        noticed_by="Check it",
    ),
    Mutation(
        name="forgotten restart",
        scenario=Scenario("service", "changed"),
        file="roles/service/tasks/run.yml",
        before="__service_read if service_restarts",
        after="[] if service_restarts",
        noticed_by="Check it",
    ),
    Mutation(
        name="settings that nobody reads",
        scenario=Scenario("base", "default"),
        file="plugins/modules/unit_set.py",
        before="st_ctime > seconds(moment)",
        after="st_ctime < 0",
        noticed_by="Read the firewall's rules",
    ),
    Mutation(
        name="world-readable secret",
        scenario=Scenario("service", "default"),
        file="roles/service/vars/main.yml",
        before='mode: "0640"',
        after='mode: "0644"',
        noticed_by="Check them",
    ),
)


def copy(place: Path) -> None:
    """Copy the files that git tracks or would track."""
    shutil.rmtree(place, ignore_errors=True)
    command = ["git", "ls-files", "-z", "-co", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        source, target = ROOT / name, place / name
        if source.exists() or source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)


def apply(mutation: Mutation, place: Path) -> None:
    path = place / mutation.file
    text = path.read_text(encoding="utf-8")
    if mutation.before not in text:
        sys.exit(f"{mutation.file} has no {mutation.before!r} any more: mend {__name__}.")
    path.write_text(text.replace(mutation.before, mutation.after), encoding="utf-8")


def caught(mutation: Mutation) -> bool:
    """Return whether the scenario failed at the expected task."""
    copy(TREE)
    apply(mutation, TREE)
    outcome = run(mutation.scenario, TREE / "roles")
    said = mutation.scenario.log.read_text(encoding="utf-8", errors="replace")
    return not outcome.passed and failed_task(said) == mutation.noticed_by


def failed_task(log: str) -> str | None:
    """Return the name of the first failed task from Molecule's coloured, indented output."""
    plain = INDENT.sub("", COLOUR.sub("", log))
    before, failure, _ = plain.partition("fatal: ")
    tasks = TASK.findall(before)
    return tasks[-1] if failure and tasks else None


def main() -> int:
    shown = Table("mutation", "scenario", "caught")
    results = []
    for mutation in MUTATIONS:
        results.append(caught(mutation))
        where = f"{mutation.scenario.role} ({mutation.scenario.name})"
        shown.add_row(mutation.name, where, "yes" if results[-1] else "NO")
    Console().print(shown)
    shutil.rmtree(TREE, ignore_errors=True)
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
