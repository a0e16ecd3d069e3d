"""Watches HAProxy through its socket, without network, API or SSH."""

from __future__ import annotations

import time

from shop_traffic.config import RefusedError
from shop_traffic.runtime import Runtime

from local_cloud.errors import LocalCloudError
from tests.chaos.hosts import PROXY, inside, machine
from tests.support.repeater import Repeater

Weights = dict[str, int] | None
SOCKET = "/run/haproxy/admin.sock"


class Watch(Repeater):
    """Records the weight of every server ten times a second; None if HAProxy is down."""

    def __init__(self) -> None:
        super().__init__()
        machine(PROXY)
        self.seen: list[tuple[float, Weights]] = []

    def look(self) -> None:
        self.seen.append((time.monotonic(), weights()))

    def now(self, colour: str) -> int | None:
        """Return the last known sum of the weights of a colour."""
        return of(self.seen[-1][1], colour) if self.seen else None

    def zero_after(self, moment: float, colour: str) -> float | None:
        """Return the seconds from ``moment`` until the colour had weight 0, or None."""
        for time_, found in self.seen:
            if time_ >= moment and of(found, colour) == 0:
                return time_ - moment
        return None


def weights() -> Weights:
    """Return the weight of every server, or None if HAProxy does not respond."""
    try:
        found = Runtime(inside(PROXY, SOCKET), "shop").read()
    except (LocalCloudError, OSError, RefusedError, ValueError, KeyError):
        return None
    return {name: seen.weight for name, seen in found.items() if not name.endswith("-fallback")}


def of(found: Weights, colour: str) -> int | None:
    if found is None:
        return None
    return sum(value for server, value in found.items() if server.startswith(colour))
