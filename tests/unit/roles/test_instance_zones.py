"""The module instance_zones: a zone is chosen among those that offer the instance types."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.support.ansible_modules import load, run
from tests.support.ansible_templates import load_plugins


@pytest.fixture(scope="module")
def module() -> ModuleType:
    load_plugins()  # before anything imports a collection
    return load("instance_zones")


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "unchecked-by-moto")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with mock_aws():
        yield


def zones_of(instance_type: str) -> set[str]:
    offers: list[dict[str, Any]] = boto3.client("ec2").describe_instance_type_offerings(
        LocationType="availability-zone",
        Filters=[{"Name": "instance-type", "Values": [instance_type]}],
    )["InstanceTypeOfferings"]
    return {offer["Location"] for offer in offers}


def test_a_zone_that_does_not_offer_a_type_is_left_out(module: ModuleType) -> None:
    """us-east-1e offers no t3."""
    assert "us-east-1e" not in zones_of("t3.small")
    found = run(module, types=["t3.small"])
    assert found["zones"] == sorted(zones_of("t3.small"))
    assert not found["changed"]


def test_the_zones_offer_every_type(module: ModuleType) -> None:
    common = zones_of("t3.small") & zones_of("m3.large")
    assert common < zones_of("t3.small")
    assert run(module, types=["t3.small", "m3.large"])["zones"] == sorted(common)


def test_a_type_that_nobody_offers_is_named(module: ModuleType) -> None:
    failed = run(module, types=["t3.colossal"])
    assert failed["failed"]
    assert "No zone of us-east-1 offers t3.colossal" in failed["msg"]
    assert "instances_type" in failed["msg"]
