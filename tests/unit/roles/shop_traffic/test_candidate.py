"""The share of a candidate: set, kept by a lease, and lost."""

from __future__ import annotations

import pytest
from shop_traffic import ring
from shop_traffic.config import RefusedError

from tests.support.proxy_world import ALL_BLUE, GREEN, SERVERS, World, shares

# ---- a candidate gets its share


def test_set_gives_the_candidate_its_true_share(world: World) -> None:
    answer = world.traffic.set("green", 0.2, lease=15)
    found = shares(world.haproxy.weights())
    assert ring.colour_share(found, GREEN) == pytest.approx(0.2, abs=0.005)
    assert answer["weights"] == world.haproxy.weights()
    assert sum(answer["shares"].values()) == pytest.approx(1)
    assert answer["candidate"] == "green"


def test_every_weight_goes_in_one_command_line_and_what_rises_comes_first(world: World) -> None:
    world.traffic.set("green", 0.2, lease=15)
    (line,) = [line for line in world.haproxy.lines if "weight" in line]
    assert line.count("weight") == len(SERVERS)
    weights = [int(part.split()[4]) for part in line.split("; ") if "weight" in part]
    assert weights == sorted(weights, reverse=True)


def test_a_matched_baseline_carries_what_a_candidate_carries(world: World) -> None:
    world.traffic.set("green", 0.2, lease=15, baseline="blue-1")
    found = shares(world.haproxy.weights())
    assert found["blue-1"] == pytest.approx(0.1, abs=0.005)
    assert found["green-1"] == pytest.approx(0.1, abs=0.005)
    assert found["blue-2"] == pytest.approx(0.7, abs=0.01)


def test_a_server_that_is_down_gets_what_its_siblings_have(world: World) -> None:
    world.haproxy.servers["green-2"].healthy = False
    world.traffic.set("green", 0.2, lease=15)
    weights = world.haproxy.weights()
    assert weights["green-2"] == weights["green-1"] > 0
    up = {name: weight for name, weight in weights.items() if name != "green-2"}
    assert shares(up)["green-1"] == pytest.approx(0.2, abs=0.005)


@pytest.mark.parametrize(
    ("candidate", "share", "baseline", "sentence"),
    [
        ("blue", 0.1, None, "blue is live"),
        ("red", 0.1, None, "No colour 'red'. Colours here: blue, green."),
        ("green", 0.0, None, "For 0: release"),
        ("green", 1.1, None, "at most 1"),
        ("green", float("nan"), None, "at most 1"),
        ("green", 0.0001, None, "below what weights can carry"),
        ("green", 0.9, "blue-1", "--share 0.6667 at most"),
        ("green", 0.1, "green-1", "green-1 cannot be the baseline"),
    ],
)
def test_set_refuses_in_words(
    world: World, candidate: str, share: float, baseline: str | None, sentence: str
) -> None:
    with pytest.raises(RefusedError, match=sentence):
        world.traffic.set(candidate, share, 15, baseline)
    assert world.haproxy.weights() == ALL_BLUE
    assert not world.timer.armed


def test_set_refuses_a_candidate_that_is_not_up(world: World) -> None:
    for name in GREEN:
        world.haproxy.servers[name].healthy = False
    with pytest.raises(RefusedError, match="green-1 is DOWN, green-2 is DOWN"):
        world.traffic.set("green", 0.1, lease=15)


@pytest.mark.parametrize("lease", [0, 0.5, 3601, float("nan")])
def test_a_lease_is_between_a_second_and_an_hour(world: World, lease: float) -> None:
    with pytest.raises(RefusedError, match="not between 1 and 3600"):
        world.traffic.set("green", 0.1, lease)


def test_weights_that_haproxy_does_not_keep_are_noticed_and_taken_back(world: World) -> None:
    world.haproxy.deaf_to = "green-1"
    with pytest.raises(RefusedError, match=r"did not keep the weights.*'green-1': 0"):
        world.traffic.set("green", 0.2, lease=15)
    assert world.haproxy.weights() == ALL_BLUE
    assert world.memory.lease is None


# ---- a candidate loses its share


def test_the_way_back_is_armed_before_the_way_forth_is_taken(world: World) -> None:
    seen: list[dict[str, int]] = []
    arm = world.timer.arm

    def spy(seconds: float) -> str:
        seen.append(world.haproxy.weights())
        return arm(seconds)

    world.timer.arm = spy  # type: ignore[method-assign]
    world.traffic.set("green", 0.2, lease=15)
    assert seen == [ALL_BLUE]
    assert list(world.timer.armed.values()) == [15]


def test_release_gives_the_live_colour_everything_and_disarms(world: World) -> None:
    world.traffic.set("green", 0.2, lease=15)
    for _ in range(2):
        world.traffic.release()
        assert world.haproxy.weights() == ALL_BLUE
        assert not world.timer.armed


def test_an_expired_lease_takes_the_traffic_back(world: World) -> None:
    world.traffic.set("green", 0.2, lease=15)
    (lease,) = world.timer.armed
    world.traffic.release(expired=lease)
    assert world.haproxy.weights() == ALL_BLUE


def test_the_timer_of_a_renewed_lease_does_nothing(world: World) -> None:
    world.traffic.set("green", 0.2, lease=15)
    (old,) = world.timer.armed
    world.traffic.renew(lease=15)
    assert old not in world.timer.armed
    assert len(world.timer.armed) == 1
    raised = world.haproxy.weights()
    world.traffic.release(expired=old)
    assert world.haproxy.weights() == raised


def test_renew_refuses_without_a_lease(world: World) -> None:
    with pytest.raises(RefusedError, match="no lease to renew: blue carries all traffic"):
        world.traffic.renew(lease=15)


def test_renew_refuses_when_haproxy_has_begun_anew(world: World) -> None:
    world.traffic.set("green", 0.2, lease=15)
    world.haproxy.servers["green-1"].weight = 0
    with pytest.raises(RefusedError, match=r"not those that were set: \{'green-1': 0\}"):
        world.traffic.renew(lease=15)
