"""A world for canaries, and the order of the modules.

The longest modules run first, so that no processor waits for them at the end.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.canary_world import World
from tests.support.paths import short_directory

#: Each module runs canaries in real time, or many servers, one after another.
FIRST = ("test_canary_run", "test_canary_disturbed", "test_app_migrations", "test_files")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(FIRST)))


@pytest.fixture
def world() -> Iterator[World]:
    with short_directory() as directory, World(directory) as made:
        yield made
