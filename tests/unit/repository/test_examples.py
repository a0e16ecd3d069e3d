"""Tests of ``examples/`` that need neither hosts nor servers."""

from __future__ import annotations

import runpy
import subprocess
from pathlib import Path

import pytest

from canary.cli.needs import lacking
from canary.environment import parse_environment
from canary.policy import load_policy
from tests.support.paths import ROOT

EXAMPLES = ROOT / "examples"
POLICIES = sorted([*EXAMPLES.glob("*/policies/*.yml"), *EXAMPLES.glob("*/policy.yml")])
SCRIPTS = sorted(EXAMPLES.glob("*/*.sh"))


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_a_policy_is_enough_to_run_a_canary(path: Path) -> None:
    policy = load_policy(path)
    assert lacking(policy, parse_environment(policy.environment))["run"] == ()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_a_script_can_be_run(path: Path) -> None:
    subprocess.run(["sh", "-n", str(path)], check=True)
    assert path.stat().st_mode & 0o111


def test_every_example_has_a_readme() -> None:
    examples = {path for path in EXAMPLES.iterdir() if path.is_dir()}
    assert examples
    assert {path for path in examples if not (path / "README.md").is_file()} == set()


@pytest.mark.parametrize("paths", [["/"], ["/", "/a"], ["/", "/a", "/b"], list("abcde")])
def test_every_user_of_the_load_asks_for_every_path(paths: list[str]) -> None:
    """Otherwise the releases, which get different users, would get different paths too."""
    known = runpy.run_path(str(ROOT / "examples/node/load.py"))
    users, load = known["USERS"], known["Load"]("http://192.0.2.10", 100, 1, paths)
    for user in (0, 1, users - 1):
        asked = {load.path(user + users * turn) for turn in range(len(paths))}
        assert asked == set(paths)
