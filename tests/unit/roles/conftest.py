"""The environments in turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.roles.inventories import ENVIRONMENTS, Environment, load


@pytest.fixture(params=ENVIRONMENTS)
def environment(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Environment:
    return load(request.param, tmp_path, monkeypatch)
