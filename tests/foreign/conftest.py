"""One emulated account for all tests of this directory, which run in the order of the file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.foreign.account import Account, emulated


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with emulated(tmp_path_factory.mktemp("account")) as made:
        yield made
