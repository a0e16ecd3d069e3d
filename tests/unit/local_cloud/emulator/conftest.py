"""An emulator for all tests of a module, and one that a test may kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.local_cloud.emulator.running import Emulator


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One for all tests that leave it alive."""
    running = Emulator(tmp_path_factory.mktemp("emulator"))
    yield running
    running.kill()


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Emulator]:
    """One that a test may kill."""
    running = Emulator(tmp_path)
    yield running
    running.kill()
