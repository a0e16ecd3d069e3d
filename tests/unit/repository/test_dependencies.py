"""Dependencies: their bounds are in one file, and hosts install from one lock.

``pyproject.toml`` has the bounds. Hosts install from ``app/requirements.txt`` and the lock of
``loadgen``. ``requirements-dev.txt`` pins the same versions for developers.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.paths import ROOT

LOCKS = {
    "app": ROOT / "app/requirements.txt",
    "load": ROOT / "roles/loadgen/files/requirements.txt",
}
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)


def pins(path: Path) -> dict[str, str]:
    return {canonicalize_name(name): version for name, version in PIN.findall(path.read_text())}


def bounds(extra: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [Requirement(line) for line in project["optional-dependencies"][extra]]


@pytest.mark.parametrize("extra", LOCKS)
def test_a_lock_holds_everything_that_its_extra_bounds(extra: str) -> None:
    locked = pins(LOCKS[extra])
    assert bounds(extra)
    for wanted in bounds(extra):
        assert wanted.specifier.contains(locked[canonicalize_name(wanted.name)]), wanted


@pytest.mark.parametrize("extra", LOCKS)
def test_what_is_tested_here_is_what_hosts_get(extra: str) -> None:
    here, there = pins(ROOT / "requirements-dev.txt"), pins(LOCKS[extra])
    shared = {canonicalize_name(wanted.name) for wanted in bounds(extra)} & here.keys()
    assert shared
    assert {name: here[name] for name in shared} == {name: there[name] for name in shared}


@pytest.mark.parametrize("extra", LOCKS)
def test_every_locked_wheel_has_a_digest(extra: str) -> None:
    for entry in re.split(r"\n(?=[A-Za-z0-9])", LOCKS[extra].read_text()):
        assert entry.startswith("#") or "--hash=sha256:" in entry, entry
