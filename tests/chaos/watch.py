"""Watches HAProxy through its socket, without network, API or SSH."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from shop_traffic import ring
from shop_traffic.config import RefusedError, Server, load
from shop_traffic.runtime import Runtime, Seen

from canary.rollout.watch import EXCESS, EXCESS_POINTS
from local_cloud.errors import LocalCloudError
from tests.chaos.hosts import PROXY, inside, machine
from tests.support.repeater import Repeater

SOCKET = "/run/haproxy/admin.sock"
CONFIG = "/etc/shop-traffic.json"
LEASE = "/var/lib/shop-traffic/lease.json"
FAILURES = (LocalCloudError, OSError, RefusedError, ValueError, KeyError)


@dataclass(frozen=True)
class Look:
    """HAProxy's servers at one time. No servers means that HAProxy is down.

    Attributes:
        share: the share of all users that the lease gives the candidate.
    """

    time: float
    servers: Mapping[str, Seen]
    share: float

    def weight(self, colour: str) -> int | None:
        """Return the sum of the weights of a colour."""
        weights = [seen.weight for name, seen in self.servers.items() if name.startswith(colour)]
        return sum(weights) if weights else None

    @property
    def split(self) -> tuple[float, dict[str, int]]:
        """Return the candidate's share by its lease, and the weights of the servers that are up."""
        return self.share, {name: seen.weight for name, seen in self.servers.items() if seen.up}


def swollen(colour: str, split: tuple[float, dict[str, int]], circle: ring.Points) -> bool:
    """Return whether a colour carries more than its share while the other colour has servers."""
    share, up = split
    own = [name for name in up if name.startswith(colour)]
    if not share or len(own) == len(up):
        return False
    most = max(EXCESS * share, share + EXCESS_POINTS)
    return ring.colour_share(ring.shares(circle, up), own) > most


class Watch(Repeater):
    """Records every server ten times a second."""

    def __init__(self) -> None:
        super().__init__()
        machine(PROXY)
        self.seen: list[Look] = []

    def look(self) -> None:
        self.seen.append(Look(time.monotonic(), servers(), share()))

    def now(self, colour: str) -> int | None:
        """Return the last known sum of the weights of a colour."""
        return self.seen[-1].weight(colour) if self.seen else None

    def zero_after(self, moment: float, colour: str) -> float | None:
        """Return the seconds from ``moment`` until the colour had weight 0, or None."""
        for look in self.seen:
            if look.time >= moment and look.weight(colour) == 0:
                return look.time - moment
        return None

    def above_after(self, moment: float, colour: str) -> float:
        """Return the seconds since ``moment`` in which the colour carried more than its share."""
        looks = [look for look in self.seen if look.time >= moment]
        circle, seconds = ring.points(known_servers()), 0.0
        for split, same in groupby(looks, key=lambda look: look.split):
            times = [look.time for look in same]
            seconds += (times[-1] - times[0]) * swollen(colour, split, circle)
        return seconds


def servers() -> dict[str, Seen]:
    """Return every server, or none if HAProxy does not respond."""
    try:
        found = Runtime(inside(PROXY, SOCKET), "shop").read()
    except FAILURES:
        return {}
    return {name: seen for name, seen in found.items() if not name.endswith("-fallback")}


def share() -> float:
    """Return the candidate's share by its lease."""
    try:
        return float(json.loads(inside(PROXY, LEASE).read_text())["share"])
    except FAILURES:
        return 0.0


@cache
def known_servers() -> tuple[Server, ...]:
    return load(inside(PROXY, CONFIG)).servers
