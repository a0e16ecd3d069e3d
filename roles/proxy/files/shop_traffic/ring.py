"""Compute the share of users that a weight gives on HAProxy's hash ring. Pure.

With ``hash-type consistent`` a server of weight w owns 16 w points on a circle of 2**32, and a
shopper goes to the nearest point. Points are random, so a small weight misses its nominal share
by several per cent (208 points at weight 13: about 7 %). They are also fixed by the server's id,
so the true share can be computed, and a weight be chosen by it.

Source: HAProxy 2.6, src/lb_chash.c (chash_queue_dequeue_srv, chash_get_server_hash) and
include/haproxy/tools.h (__full_hash).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from shop_traffic.config import Server

MAXIMUM = 256
POINTS_PER_WEIGHT = 16
POINTS = MAXIMUM * POINTS_PER_WEIGHT
CIRCLE = 1 << 32
MASK = CIRCLE - 1

Points = list[tuple[int, int, str]]


def full_hash(value: int) -> int:
    """Bob Jenkins' full avalanche hash of 32 bits, as in HAProxy."""
    value = (value + 0x7ED55D16 + (value << 12)) & MASK
    value = (value ^ 0xC761C23C ^ (value >> 19)) & MASK
    value = (value + 0x165667B1 + (value << 5)) & MASK
    value = ((value + 0xD3A2646C) ^ (value << 9)) & MASK
    value = (value + 0xFD7046C5 + (value << 3)) & MASK
    value = (value ^ 0xB55A4F09 ^ (value >> 16)) & MASK
    return (value * 3221225473) & MASK


def points(servers: Iterable[Server]) -> Points:
    """Return every point that these servers can own, as (place, index, server), by place."""
    return sorted(
        (full_hash((server.id * POINTS + index) & MASK), index, server.name)
        for server in servers
        for index in range(POINTS)
    )


def shares(circle: Points, weights: Mapping[str, int]) -> dict[str, float]:
    """Return the share of the circle that is nearest to each server's points."""
    owned = dict.fromkeys(weights, 0)
    limits = {name: weight * POINTS_PER_WEIGHT for name, weight in weights.items()}
    live = [(place, name) for place, index, name in circle if index < limits.get(name, 0)]
    if not live:
        return dict.fromkeys(weights, 0.0)
    before, owner = live[-1][0] - CIRCLE, live[-1][1]
    for place, name in live:
        gap = place - before
        owned[owner] += gap
        owned[name] += gap
        before, owner = place, name
    return {name: twice / (2 * CIRCLE) for name, twice in owned.items()}


def colour_share(found: Mapping[str, float], names: Collection[str]) -> float:
    return sum(share for name, share in found.items() if name in names)


def smallest_reaching(reaches: Callable[[int], bool], low: int, high: int) -> int:
    """Return the smallest step in [low, high] that ``reaches``, or ``high``."""
    while low < high:
        middle = (low + high) // 2
        if reaches(middle):
            high = middle
        else:
            low = middle + 1
    return low
