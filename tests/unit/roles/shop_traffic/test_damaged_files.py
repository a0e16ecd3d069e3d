"""Traffic returns even if the proxy's files are truncated or hold something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from shop_traffic import boot, ring
from shop_traffic.config import RefusedError
from shop_traffic.drill import Drill
from shop_traffic.lock import Lock

from tests.support.proxy_world import ALL_BLUE, ALL_GREEN, World, proxy

FILES = ("live", "fallback.json", "lease.json")
LEASE = {
    "candidate": "green",
    "share": 0.5,
    "until": 0,
    "unit": "u",
    "weights": {"green-1": 9},
    "up": ["green-1", "blue-1"],
    "baseline": None,
}
OTHERS = [
    b"",
    b"\xff\xfe",
    b"null",
    b"7",
    b"{}",
    b"[]",
    b"[{}]",
    b'["green-9"]',
    b"[" * 50_000,
    b'{"candidate": 1}',
    json.dumps(LEASE | {"weights": [1]}).encode(),
    json.dumps(LEASE | {"weights": {"green-1": "many"}}).encode(),
    json.dumps(LEASE | {"up": 3}).encode(),
    json.dumps(LEASE | {"drill": 5}).encode(),
    json.dumps(LEASE | {"drill": {"errors": 7}}).encode(),
]
COMMANDS: dict[str, Callable[[World], object]] = {
    "status": lambda world: world.traffic.status(),
    "renew": lambda world: world.traffic.renew(15),
    "release": lambda world: world.traffic.release(),
    "set": lambda world: world.traffic.set("green", 0.5, lease=15),
    "promote": lambda world: world.traffic.promote("green"),
    "drain": lambda world: world.traffic.drain("blue-1", patience=0.01),
    "ready": lambda world: world.traffic.ready("blue-1", patience=0.01, fallback=True),
    "standby": lambda world: world.traffic.standby("green", may=True),
    "prepare": lambda world: boot.prepare(world.traffic),
}


@pytest.fixture(autouse=True)
def small_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute fewer points, which take most of the time of a command."""
    monkeypatch.setattr(ring, "POINTS_PER_WEIGHT", 1)
    monkeypatch.setattr(ring, "POINTS", ring.MAXIMUM)


def raised(world: World) -> str:
    """Give the candidate traffic; return the name of the lease's timer."""
    world.traffic.set("green", 0.5, lease=15, drill=Drill(0.1))
    lease = world.memory.lease
    assert lease is not None
    return lease.unit


@pytest.mark.parametrize("name", FILES)
def test_the_end_of_a_lease_returns_traffic_whatever_is_in_a_file(world: World, name: str) -> None:
    unit = raised(world)
    path, weights = world.memory.directory / name, world.haproxy.weights()
    kept = {one: (world.memory.directory / one).read_bytes() for one in FILES[::2]}
    whole = kept.get(name, b'["green-1", "green-2"]\n')
    for damaged in [*(whole[:size] for size in range(0, len(whole) - 1, 3)), *OTHERS]:
        for one, content in kept.items():
            (world.memory.directory / one).write_bytes(content)
        world.timer.armed[unit] = 15
        world.traffic.runtime.apply(weights, {})
        path.write_bytes(damaged)
        world.traffic.release(expired=unit)
        assert world.haproxy.weights() == ALL_BLUE, damaged
        assert world.memory.live == "blue", damaged
        assert world.memory.lease is None, damaged


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_fails_with_a_traceback_or_takes_all_traffic_away(
    tmp_path: Path, name: str, command: str
) -> None:
    with proxy(tmp_path) as world:
        raised(world)
        for damaged in OTHERS:
            (tmp_path / name).write_bytes(damaged)
            with suppress(RefusedError):
                COMMANDS[command](world)
            assert any(world.haproxy.weights().values()), damaged


def test_without_a_lease_a_damaged_live_colour_is_a_sentence(world: World) -> None:
    path = world.memory.directory / "live"
    path.write_text("blu\n")
    with pytest.raises(RefusedError, match="does not name the live colour: write blue or green"):
        world.traffic.status()
    path.write_text("green\n")
    world.traffic.release()
    assert world.haproxy.weights() == ALL_GREEN


def test_a_server_that_is_gone_may_have_been_a_standby(world: World) -> None:
    """A traceback here would end the deployment."""
    (world.memory.directory / "fallback.json").write_text('["green-9"]')
    world.haproxy.servers["blue-2"].healthy = False
    with pytest.raises(RefusedError, match="blue-1 is the last server of the live colour"):
        world.traffic.drain("blue-1")


@pytest.mark.parametrize("record", ["", "{", "[" * 50_000, "[]", '{"canary": "c1"}'])
def test_a_damaged_lock_is_never_free(world: World, record: str) -> None:
    (world.memory.directory / "holder.json").write_text(record)
    holder = json.dumps({"canary": "c2", "who": "me", "since": 0.0, "until": 9.0, "beat": 1})
    for expected in ("none", "c1", "c1/1"):
        with pytest.raises(RefusedError, match="remove it"):
            Lock(world.memory).swap(expected, holder)
