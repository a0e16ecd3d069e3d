"""Playbooks are tables of contents: a role has one tag, and the tag selects that role alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.paths import ROOT

PLAYBOOKS = [ROOT / "site.yml", *sorted((ROOT / "playbooks").glob("*.yml"))]
TASK = re.compile(r"^ {6}(?:cart\.canary\.(\w+) : )?(.+?)\tTAGS: \[(.*)\]$", re.MULTILINE)
#: Every run checks this, with any tags: whether the account is reachable.
CHECKS = {"Skip an account that cannot be reached", "Require confirmation"}
#: Every run names the account, and keeps the settings of the shell.
ALWAYS = {"account", "settings"}
VALIDATION = "Validating arguments against arg spec"  # Ansible itself tags it so


def tasks(playbook: str) -> list[tuple[str, str, set[str]]]:
    """Return role, name and tags of each task that Ansible would run."""
    listed = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), playbook, "--list-tasks"],
        cwd=ROOT,
        env={**os.environ, "LOCAL_CLOUD_BRIDGE": "absent0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    found = TASK.findall(listed.stdout)
    return [(role, name, set(filter(None, tags.split(", ")))) for role, name, tags in found]


@pytest.mark.parametrize("playbook", ["site.yml", "playbooks/destroy.yml"])
def test_a_tag_runs_its_role_and_nothing_else(playbook: str) -> None:
    found = tasks(playbook)
    assert {role for role, _, _ in found} > {"network", "local_cloud", "alarms"}
    for role, name, tags in found:
        if role in ALWAYS:
            assert tags == {"always"}, name
        elif role:
            extra = {"always"} if name.startswith(VALIDATION) else set()
            assert tags == {role} | extra, name
        elif "always" in tags:
            assert name in CHECKS


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_playbook_reads_no_internal_variable_and_uses_full_names(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"\b__\w+", text) == []
    roles = re.findall(r"(?:role: |(?:import|include)_role:\s*(?:\{)?\s*name: )(\S+?)[,}\s]", text)
    assert [name for name in roles if not name.startswith("cart.canary.")] == []


def test_destroying_an_environment_removes_no_file_of_another() -> None:
    """A playbook may run for another environment of the checkout at the same time."""
    plays = yaml.safe_load((ROOT / "playbooks/destroy.yml").read_text(encoding="utf-8"))
    tasks = {task["name"]: task for play in plays for task in play["tasks"]}
    paths = tasks["Remove the controller's files of the environment"]["loop"]
    assert paths
    assert [path for path in paths if not path.startswith("{{ run_directory }}/")] == []
    assert "fact_caching" not in (ROOT / "ansible.cfg").read_text(encoding="utf-8")
