"""Shared settings and fixtures of the unit tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.loaders
import pytest
from hypothesis import settings
from moto import mock_aws

# One machine image. By default, moto makes 1,300 in each region that a test uses.
os.environ["MOTO_AMIS_PATH"] = str(Path(__file__).with_name("images.json"))

# All sessions of botocore share the descriptions of services, which take long to read.
botocore.loaders.create_loader = cache(botocore.loaders.create_loader)

# The same examples in every run, without a time limit, because a machine may be busy.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def _no_variables_of_a_local_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the variables of a second local cloud on this machine."""
    for name in [name for name in os.environ if name.startswith("LOCAL_CLOUD_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account of AWS, in this process."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield
