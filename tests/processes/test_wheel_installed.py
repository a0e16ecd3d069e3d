"""The wheel of ``cart-canary`` in an empty environment with its declared dependencies."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

import pytest

from tests.support import wheels


@pytest.mark.long
@pytest.mark.timeout(600)
def test_an_empty_environment_needs_the_wheel_and_nothing_else(tmp_path: Path) -> None:
    wheel = wheels.build(wheels.checkout(tmp_path / "checkout"), tmp_path / "wheel")
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    wheels.pip("install", wheel, python=python)
    words = wheels.window(tmp_path, slower=1.5)
    command = [str(tmp_path / "venv/bin/canary"), *words, "--html", "report.html"]
    judged = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert judged.returncode == 1, judged.stderr
    assert (tmp_path / "report.html").exists()
    for other in ("app", "local_cloud", "tests"):
        absent = subprocess.run([str(python), "-c", f"import {other}"], cwd="/", check=False)
        assert absent.returncode == 1, other
