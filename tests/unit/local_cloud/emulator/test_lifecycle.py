"""Instances are forgotten an hour after their end, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Reservation

from local_cloud.emulator import ACCOUNT
from local_cloud.emulator.lifecycle import forget_terminated


@pytest.fixture
def reservations() -> Iterator[dict[str, Any]]:
    """The reservations of an account, empty before and after."""
    found: dict[str, Any] = ec2_backends[ACCOUNT]["eu-central-1"].reservations
    found.clear()
    yield found
    found.clear()


def reserve(reservations: dict[str, Any], *hours_ago: float) -> Any:
    """Add a reservation of instances that were terminated so many hours ago."""
    made: Any = Reservation(f"r-{len(reservations)}")
    made.instances = [
        SimpleNamespace(terminated_at=utcnow() - timedelta(hours=hours)) for hours in hours_ago
    ]
    reservations[made.id] = made
    return made


def test_instances_that_ended_long_ago_are_forgotten(reservations: dict[str, Any]) -> None:
    reserve(reservations, 2)
    kept = reserve(reservations, 2, 0.5)
    forget_terminated()
    assert list(reservations.values()) == [kept]
    assert len(kept.instances) == 1


def test_a_reservation_that_is_about_to_get_its_instance_stays(
    reservations: dict[str, Any],
) -> None:
    """Else a launch at that moment ended with InvalidInstanceID.NotFound."""
    made = reserve(reservations)
    instances = made.instances
    forget_terminated()
    assert list(reservations.values()) == [made]
    assert made.instances is instances, "moto appends to this list"
