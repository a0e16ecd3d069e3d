"""The wheel of ``cart-canary`` in an empty environment with its declared dependencies."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import wheels

NOBODY = 65534
SECONDS = 60
MEGABYTES = 200

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory with the environment, which every user may read and write."""
    with tempfile.TemporaryDirectory(prefix="canary-wheel-") as name:
        path = Path(name)
        path.chmod(0o777)
        wheel = wheels.build(wheels.checkout(path / "checkout"), path / "wheel")
        venv.create(path / "venv", with_pip=True)
        wheels.pip("install", wheel, python=path / "venv/bin/python")
        yield path


def ordinary(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command as an ordinary user, who has no home."""
    user = NOBODY if os.getuid() == 0 else None
    return subprocess.run(
        [str(place / "venv/bin/canary"), *words],
        cwd=place,
        env={"PATH": os.defpath, "HOME": "/nonexistent", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        user=user,
        group=user,
    )


def test_an_empty_environment_needs_the_wheel_and_nothing_else(place: Path, tmp_path: Path) -> None:
    words = wheels.window(tmp_path, slower=1.5)
    command = [str(place / "venv/bin/canary"), *words, "--html", "report.html"]
    judged = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert judged.returncode == 1, judged.stderr
    assert (tmp_path / "report.html").exists()
    for other in ("app", "local_cloud", "tests"):
        command = [str(place / "venv/bin/python"), "-c", f"import {other}"]
        assert subprocess.run(command, cwd="/", check=False).returncode == 1, other


def test_it_is_small(place: Path) -> None:
    """Without files that Python compiles, which pip adds (55 MB) and uv does not."""
    (packages,) = (place / "venv/lib").glob("python*/site-packages")
    files = [path for path in packages.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    size = sum(path.stat().st_size for path in files if own(path.relative_to(packages)))
    assert 50e6 < size < MEGABYTES * 1e6


def own(path: Path) -> bool:
    """Return whether the wheel or its dependencies brought a file, not the empty environment."""
    return not path.parts[0].startswith(("pip", "setuptools", "pkg_resources"))


def test_an_ordinary_user_tries_it_within_a_minute(place: Path) -> None:
    began = time.monotonic()
    tried = ordinary(place, "try")
    assert time.monotonic() - began < SECONDS
    assert tried.returncode == 0, tried.stderr
    assert "v1.1: PASS" in tried.stdout
    assert "v1.2: FAIL" in tried.stdout
    for name in ("good", "bad"):
        report = place / "canary-try" / name / "report.html"
        assert report.stat().st_size > 50_000
        if os.getuid() == 0:
            assert report.stat().st_uid == NOBODY
