"""A shared emulator, and one that a test may kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.local_cloud.emulator.running import Emulator


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The shared emulator."""
    running = Emulator(tmp_path_factory.mktemp("emulator"))
    yield running
    running.kill()


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Emulator]:
    """An emulator that a test may kill."""
    running = Emulator(tmp_path)
    yield running
    running.kill()
