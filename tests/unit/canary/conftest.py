"""A repository with a small app, and how its releases are built."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from canary.artifact import Recipe, Target
from tests.unit.canary.artifact_repository import LOCK, WHEEL, commit, git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "repository"
    (path / "app" / "data").mkdir(parents=True)
    (path / "app" / "__init__.py").write_text("VERSION = 1\n")
    (path / "app" / "data" / "run.sh").write_text("#!/bin/sh\n")
    (path / "app" / "data" / "run.sh").chmod(0o755)
    (path / "app" / "requirements.txt").write_bytes(LOCK)
    (path / "README").write_text("not released\n")
    (path / ".gitignore").write_text("*.pyc\n")
    git(path, "init", "-q")
    commit(path, "first")
    git(path, "tag", "v1")
    return path


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """A recipe whose one wheel is in the cache already."""
    target = Target(machine="x86_64")
    key = hashlib.sha256(LOCK + f"\n{target}".encode()).hexdigest()[:32]
    kept = tmp_path / "cache" / key
    kept.mkdir(parents=True)
    (kept / "bottle-0.13.4-py3-none-any.whl").write_bytes(WHEEL)
    return Recipe(target=target, cache=tmp_path / "cache")
