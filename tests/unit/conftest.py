"""What several of these tests stand on."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from moto import mock_aws

# The same examples in every run, and no limit on the time of one: a busy machine is no fault.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def _no_cloud_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has a local cloud beside another one has said so in the environment."""
    for name in [name for name in os.environ if name.startswith("LOCAL_CLOUD_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account of AWS, in this process."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield
