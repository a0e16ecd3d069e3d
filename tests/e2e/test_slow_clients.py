"""200 clients of the booted hosts send slowly, read slowly or send nothing."""

from __future__ import annotations

import pytest

from tests.e2e.demo import address
from tests.support.session_cloud import SessionCloud
from tests.support.slow_clients import (
    Attack,
    Target,
    reads_slowly,
    require_unnoticed,
    says_nothing,
    sends_slowly,
)

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.mark.parametrize("attack", [sends_slowly, reads_slowly, says_nothing])
def test_other_customers_do_not_notice(cloud: SessionCloud, attack: Attack) -> None:
    """The proxy sets no limits for the controller, so each connection counts as another client."""
    require_unnoticed(Target(address("local-proxy-1"), 80), attack)
    states = cloud.status()["proxy"]["states"]
    assert {state.split()[0] for state in states.values()} == {"UP"}
