"""A proxy with a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.proxy_world import World, proxy


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with proxy(tmp_path) as made:
        yield made
