"""Releases that are not built."""

from __future__ import annotations

from pathlib import Path

import pytest

from canary.artifact.named import named


def test_on_a_host_without_git_a_release_is_what_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = named(tmp_path, "v1.5.0")
    assert (found.release, found.commit) == ("v1.5.0", "")
