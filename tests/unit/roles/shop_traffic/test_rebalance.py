"""If a live server goes down or comes back during a canary, the candidate keeps its share."""

from __future__ import annotations

import json

import pytest
from shop_traffic import ring
from shop_traffic.drill import Drill

from tests.support.proxy_world import ALL_BLUE, BLUE, GREEN, World, shares


def real_share(world: World, colour: tuple[str, ...] = GREEN) -> float:
    """Return the share of users that a colour gets from the servers that are up."""
    up = {n: w for n, w in world.haproxy.weights().items() if world.haproxy.servers[n].healthy}
    return ring.colour_share(shares(up), colour)


def lose(world: World, *names: str, back: bool = False) -> None:
    for name in names:
        world.haproxy.servers[name].healthy = back


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("lost", BLUE)
def test_the_candidate_keeps_its_share_when_a_live_server_goes_down(
    world: World, share: float, lost: str
) -> None:
    world.traffic.set("green", share, lease=9, baseline="blue-1")
    raised = world.haproxy.weights()
    lose(world, lost)
    alone = real_share(world)
    assert alone > (1.2 if lost == "blue-2" else 1.02) * share, "HAProxy alone gives it more"
    world.traffic.renew(lease=9)
    assert real_share(world) == pytest.approx(share, abs=0.005)
    lease = world.memory.lease
    assert lease is not None
    assert lease.weights == world.haproxy.weights(), "the next renewal knows them"
    world.traffic.renew(lease=9)
    lose(world, lost, back=True)
    world.traffic.renew(lease=9)
    assert world.haproxy.weights() == raised, "everybody is back where they were"


@pytest.mark.parametrize("lost", BLUE)
def test_a_weight_is_raised_while_a_live_server_is_down(world: World, lost: str) -> None:
    """Its matched server may be down, or the only one that is left."""
    world.traffic.set("green", 0.05, lease=9, baseline="blue-1")
    lose(world, lost)
    world.traffic.set("green", 0.2, lease=9, baseline="blue-1")
    assert real_share(world) == pytest.approx(0.2, abs=0.005)
    lose(world, lost, back=True)
    world.traffic.renew(lease=9)
    assert real_share(world, ("blue-1",)) == pytest.approx(0.1, abs=0.005)


def test_without_a_change_a_renewal_sets_no_weight(world: World) -> None:
    world.traffic.set("green", 0.2, lease=9, baseline="blue-1")
    world.haproxy.lines.clear()
    world.traffic.renew(lease=9)
    assert not [line for line in world.haproxy.lines if "set server" in line]


def test_while_no_live_server_is_up_the_candidate_keeps_its_weight(world: World) -> None:
    world.traffic.set("green", 0.2, lease=9)
    raised = world.haproxy.weights()
    lose(world, *BLUE)
    world.traffic.renew(lease=9)
    assert world.haproxy.weights() == raised


def test_a_candidates_server_that_is_down_raises_nobodys_weight(world: World) -> None:
    world.traffic.set("green", 0.2, lease=9)
    raised = world.haproxy.weights()
    lose(world, "green-2")
    world.traffic.renew(lease=9)
    assert world.haproxy.weights() == raised
    lose(world, "blue-2")
    world.traffic.renew(lease=9)
    assert real_share(world) < 0.2, "the other candidate's server does not take over its users"
    assert real_share(world, BLUE) > 0.8


def test_a_share_that_the_servers_left_cannot_give_changes_nothing(world: World) -> None:
    """With half of the live servers down, even a weight of 1 is more than that share."""
    world.traffic.set("green", 0.0035, lease=9)
    raised = world.haproxy.weights()
    lose(world, "blue-2")
    world.traffic.renew(lease=9)
    assert world.haproxy.weights() == raised
    assert world.timer.armed, "the lease is renewed"


def test_weights_that_cannot_be_set_anew_return_the_traffic(world: World) -> None:
    world.traffic.set("green", 0.2, lease=9)
    lose(world, "blue-2")
    world.haproxy.deaf_to = "green-1"
    with pytest.raises(Exception, match="did not keep the weights"):
        world.traffic.renew(lease=9)
    world.haproxy.deaf_to = ""
    (unit,) = world.timer.armed
    world.traffic.release(expired=unit)
    assert world.haproxy.weights() == ALL_BLUE


def test_a_drill_goes_on_when_the_weights_are_set_anew(world: World) -> None:
    world.traffic.set("green", 0.2, lease=9, drill=Drill(errors=0.1))
    lose(world, "blue-2")
    world.traffic.renew(lease=9)
    assert world.traffic.status()["drill"] == {"errors": 0.1, "delay": 0, "writes": False}


@pytest.mark.parametrize("changed", [{"up": ["green-9"]}, {"baseline": "green-9"}, {"up": []}])
def test_a_lease_with_unknown_servers_is_renewed_as_it_is(
    world: World, changed: dict[str, object]
) -> None:
    world.traffic.set("green", 0.2, lease=9)
    path = world.memory.directory / "lease.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    lose(world, "blue-2")
    raised = world.haproxy.weights()
    world.traffic.renew(lease=9)
    assert world.haproxy.weights()["green-1"] <= raised["green-1"]
