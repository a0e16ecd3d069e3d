"""200 clients of the booted hosts that send slowly, read slowly or say nothing."""

from __future__ import annotations

import pytest

from tests.e2e.demo import address
from tests.support.session_cloud import SessionCloud
from tests.support.slow_clients import (
    Attack,
    Target,
    attacked,
    reads_slowly,
    says_nothing,
    sends_slowly,
    served,
)

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
#: A scheduler that is late is not the attack's doing: seven hosts share this machine.
NOISE = 0.2


@pytest.mark.parametrize("attack", [sends_slowly, reads_slowly, says_nothing])
def test_other_customers_do_not_notice(cloud: SessionCloud, attack: Attack) -> None:
    """The controller has no limits at the proxy, so each connection is as from another client."""
    target = Target(address("local-proxy-1"), 80)
    quiet = served(target, 10)
    assert quiet.failures == []
    with attacked(target, attack, 200):
        served(target, 5)  # until all clients are there
        during = served(target, 20)
    told = f"{len(during.seconds)} requests, p99 {during.p99:.3f} s against {quiet.p99:.3f} s"
    assert during.failed <= 0.001, (told, during.failures[:5])
    assert during.p99 <= 2 * quiet.p99 + NOISE, told
    states = cloud.status()["proxy"]["states"]
    assert {state.split()[0] for state in states.values()} == {"UP"}
