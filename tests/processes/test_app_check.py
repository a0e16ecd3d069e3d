"""The role app refuses to deploy to a colour that serves according to the proxy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

pytestmark = [pytest.mark.timeout(120)]
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: cart.canary.app, tasks_from: check}
"""


def check(directory: Path, weights: dict[str, int], **variables: object) -> str:
    """Run the check of the role for green; return its output."""
    said = {"live": "blue", "candidate": None, "weights": weights}
    program = directory / "shop-traffic"
    program.write_text(f"#!/bin/sh\necho '{json.dumps(said)}'\n", encoding="utf-8")
    program.chmod(0o755)
    playbook = directory / "play.yml"
    playbook.write_text(PLAY, encoding="utf-8")
    python = {"ansible_python_interpreter": sys.executable}
    asked = {
        "app_release": "1" * 12,
        "app_hosts": ["x"],
        "app_allow_live": False,
        "app_proxy": "localhost",
        **variables,
    }
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,"]
    done = subprocess.run(
        [
            *command,
            "-c",
            "local",
            str(playbook),
            "-e",
            json.dumps({"app_colour": "green", **python, **asked}),
        ],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{directory}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_a_colour_that_carries_traffic_is_not_deployed_to(tmp_path: Path) -> None:
    candidate = {"blue-1": 256, "green-1": 20}
    refused = check(tmp_path, candidate)
    assert "green carries traffic" in refused
    assert "take it back: canary rollback" in refused
    assert check(tmp_path, candidate, app_allow_live=True) == ""


def test_the_live_colour_is_not_deployed_to_and_the_idle_one_is(tmp_path: Path) -> None:
    idle = {"blue-1": 256, "green-1": 0}
    assert "blue is live" in check(tmp_path, idle, app_colour="blue")
    assert check(tmp_path, idle) == ""
