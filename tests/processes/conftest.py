"""The order of the modules: the longest first, so that no processor waits for them at the end."""

from __future__ import annotations

import pytest

#: Each module runs canaries in real time, or many servers, one after another.
FIRST = ("test_canary_run", "test_app_migrations", "test_files")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(FIRST)))
