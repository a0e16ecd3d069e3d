"""The wheel ``cart-canary`` holds only ``canary``, and its command works."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.support import wheels
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheels.checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheels.build(checkout, tmp_path_factory.mktemp("wheel"))


def tracked(directory: str, *, suffixes: tuple[str, ...] = ()) -> set[str]:
    files = (ROOT / directory).rglob("*")
    kept = {path for path in files if path.is_file() and "__pycache__" not in path.parts}
    return {str(p.relative_to(ROOT)) for p in kept if not suffixes or p.suffix in suffixes}


def contents(wheel: Path) -> set[str]:
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_the_wheel_holds_canary_alone_and_whole(wheel: Path) -> None:
    assert contents(wheel) == tracked("canary")


def test_the_wheel_of_the_local_cloud_holds_it_whole(checkout: Path, tmp_path: Path) -> None:
    held = contents(wheels.build(checkout / "local_cloud", tmp_path))
    code, image = tracked("local_cloud", suffixes=(".py",)), tracked("local_cloud/image_files")
    assert held == code | image


def test_the_requirements_pin_the_moto_that_the_local_cloud_needs() -> None:
    needed = tomllib.loads((ROOT / "local_cloud/pyproject.toml").read_text())["project"]
    (moto,) = (name for name in needed["dependencies"] if name.startswith("moto"))
    assert moto in (ROOT / "requirements-dev.txt").read_text().splitlines()


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed wheel, with dependencies from this environment."""
    target = tmp_path_factory.mktemp("installed")
    wheels.pip("install", "--no-deps", "--no-index", "--target", target, wheel)
    return target


def canary(installed: Path, directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(installed / "bin/canary"), *words],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_installed_command_explains_itself(installed: Path, tmp_path: Path) -> None:
    shown = canary(installed, tmp_path, "--help")
    assert shown.returncode == 0, shown.stderr
    assert "canary run" in shown.stdout


def test_the_installed_command_judges_a_file(installed: Path, tmp_path: Path) -> None:
    words = wheels.window(tmp_path, slower=1.0)
    judged = canary(installed, tmp_path, *words, "--html", "report.html")
    assert judged.returncode == 0, judged.stderr
    assert (tmp_path / "report.html").stat().st_size > 10_000
