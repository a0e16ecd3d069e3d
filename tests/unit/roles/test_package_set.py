"""The module package_set: installed packages cost one call of dpkg only."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.ansible_modules import load, run

MODULE = load("package_set")
Commands = list[list[str]]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Commands:
    """Fake dpkg and APT; curl is installed, haproxy was removed."""
    told: Commands = []

    def answer(_module: Any, command: list[str], **_: Any) -> tuple[int, str, str]:
        told.append(command)
        if command[0] == "dpkg-query":
            return 1, "curl installed\nhaproxy config-files\n", "no packages found matching jq"
        return (100, "", "E: Broken.") if "jq" in command else (0, "", "")

    monkeypatch.setattr(MODULE.AnsibleModule, "run_command", answer)
    monkeypatch.setattr(MODULE, "LISTS", tmp_path)
    return told


def age(place: Path, *, hours: int) -> None:
    os.utime(place, (time.time() - hours * 3600,) * 2)


def test_what_is_installed_costs_one_question(commands: Commands, tmp_path: Path) -> None:
    age(tmp_path, hours=100)
    answer = run(MODULE, names=["curl"])
    assert answer["changed"] is False
    assert [command[0] for command in commands] == ["dpkg-query"]


@pytest.mark.parametrize(("hours", "updates"), [(1, 0), (25, 1)])
def test_lists_are_updated_if_they_are_old_and_something_is_missing(
    commands: Commands, tmp_path: Path, hours: int, updates: int
) -> None:
    age(tmp_path, hours=hours)
    answer = run(MODULE, names=["curl", "haproxy"], recommends=False)
    assert answer["installed"] == ["haproxy"]
    assert sum("update" in command for command in commands) == updates
    assert commands[-1][-3:] == ["install", "--no-install-recommends", "haproxy"]


def test_a_plan_installs_nothing(commands: Commands) -> None:
    answer = run(MODULE, check=True, names=["curl", "haproxy"])
    assert answer["changed"] is True
    assert answer["diff"]["prepared"] == "install haproxy\n"
    assert len(commands) == 1


def test_what_apt_refuses_is_an_error_in_its_words(commands: Commands) -> None:
    answer = run(MODULE, names=["jq"])
    assert answer["failed"] is True
    assert "E: Broken." in answer["msg"]
    assert commands[-1][-1] == "jq"
