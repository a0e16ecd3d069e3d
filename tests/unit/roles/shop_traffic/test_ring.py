"""The hash ring: shares, and the server of a shopper."""

from __future__ import annotations

import bisect
import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shop_traffic import plan, ring
from shop_traffic.config import Server

from tests.support.proxy_world import ALL_BLUE, BLUE, GREEN, SERVERS, shares

# ---- the ring


def test_full_hash_is_haproxys() -> None:
    # Expected: include/haproxy/tools.h of HAProxy 2.6, compiled. A process test asks HAProxy.
    assert ring.full_hash(0) == full_hash_in_c(0)
    assert ring.full_hash(101 * 4096) == full_hash_in_c(101 * 4096)


def full_hash_in_c(value: int) -> int:
    """Compute with 32-bit C arithmetic, one operation a line."""
    numpy = pytest.importorskip("numpy")
    with numpy.errstate(over="ignore"):
        a = numpy.uint32(value)
        a = (a + numpy.uint32(0x7ED55D16)) + (a << numpy.uint32(12))
        a = (a ^ numpy.uint32(0xC761C23C)) ^ (a >> numpy.uint32(19))
        a = (a + numpy.uint32(0x165667B1)) + (a << numpy.uint32(5))
        a = (a + numpy.uint32(0xD3A2646C)) ^ (a << numpy.uint32(9))
        a = (a + numpy.uint32(0xFD7046C5)) + (a << numpy.uint32(3))
        a = (a ^ numpy.uint32(0xB55A4F09)) ^ (a >> numpy.uint32(16))
        return int(a * numpy.uint32(3221225473))


def test_shares_add_up_and_a_weight_of_zero_has_none() -> None:
    found = shares({"blue-1": 256, "blue-2": 3, "green-1": 0, "green-2": 17})
    assert sum(found.values()) == pytest.approx(1)
    assert found["green-1"] == 0
    assert shares(dict.fromkeys(ALL_BLUE, 0)) == dict.fromkeys(ALL_BLUE, 0)


@settings(max_examples=12)
@given(st.floats(0.01, 1.0), st.integers(1, 3), st.integers(1, 3))
def test_the_nearest_weights_miss_a_share_by_little(
    share: float, candidates: int, live: int
) -> None:
    names = [f"green-{n}" for n in range(candidates)] + [f"blue-{n}" for n in range(live)]
    servers = [Server(n, n.split("-")[0], 100 + i, "", 0) for i, n in enumerate(names)]
    circle = ring.points(servers)
    split = plan.Split(tuple(names[:candidates]), tuple(names[candidates:]))
    weights = plan.choose(circle, split, share)
    found = ring.colour_share(ring.shares(circle, weights), split.candidate)
    # one step of weight is at most 1/256 of a server, plus the random position of a point
    assert found == pytest.approx(share, abs=0.012)
    assert all(0 <= weight <= 256 for weight in weights.values())


def test_a_shopper_stays_on_the_candidate_while_its_share_rises() -> None:
    circle = ring.points(SERVERS)
    rng = random.Random(20261120)  # noqa: S311 - not for secrets
    shoppers = [rng.randrange(ring.CIRCLE) for _ in range(1000)]
    before: set[int] = set()
    for share in (0.05, 0.2, 0.5, 0.8, 1.0):
        weights = plan.choose(circle, plan.Split(GREEN, BLUE), share)
        served = nearest(circle, weights, shoppers)
        now = {shopper for shopper in shoppers if served[shopper] in GREEN}
        assert before <= now
        before = now
    assert len(before) == len(shoppers)


def nearest(circle: ring.Points, weights: dict[str, int], places: Iterable[int]) -> dict[int, str]:
    """Return the server for each position, in the order of HAProxy."""
    points = [(place, name) for place, index, name in circle if index < weights[name] * 16]
    found = {}
    for place in places:
        after = bisect.bisect_left(points, (place, ""))
        candidates = (points[after - 1], points[after % len(points)])
        found[place] = min(
            candidates,
            key=lambda p: min((p[0] - place) % ring.CIRCLE, (place - p[0]) % ring.CIRCLE),
        )[1]
    return found
