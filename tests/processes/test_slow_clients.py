"""200 clients send slowly, read slowly or send nothing, and other customers do not notice."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.app_http import ask
from tests.support.app_pair import Pair, running_pair
from tests.support.slow_clients import (
    Attack,
    Target,
    reads_slowly,
    require_unnoticed,
    says_nothing,
    sends_slowly,
)

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with running_pair(tmp_path_factory.mktemp("pair")) as running:
        for number in range(1, 101):
            body = json.dumps({"id": number, "name": "Lamp " * 20, "price": 1}).encode()
            assert ask(f"{running.url}/data", body).status == 200
        yield running


def own_address(number: int) -> str:
    """Return an address for each client, so that the limits of one client do not help."""
    return f"127.3.{number // 200}.{number % 200 + 1}"


@pytest.mark.parametrize("attack", [sends_slowly, reads_slowly, says_nothing])
def test_other_customers_do_not_notice(pair: Pair, attack: Attack) -> None:
    require_unnoticed(Target("127.0.0.1", pair.proxy.port, own_address), attack)
    checks = pair.proxy.traffic.runtime.read()
    assert {name: found.state for name, found in checks.items() if "fallback" not in name} == {
        "blue-1": "UP",
        "green-1": "UP",
    }
