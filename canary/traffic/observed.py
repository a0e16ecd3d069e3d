"""A proxy that also reports its weights to a callback."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from canary.traffic.base import Status, Traffic


class ObservedTraffic:
    """Calls ``tell`` with each colour's share; it must return at once and never raise."""

    def __init__(
        self,
        traffic: Traffic,
        colours: tuple[str, str],
        tell: Callable[[Mapping[str, float]], None],
    ) -> None:
        self._traffic = traffic
        self._colours = colours
        self._tell = tell
        self.renew = traffic.renew  # changes no weight
        self.standby = traffic.standby
        self.describe = traffic.describe

    def status(self) -> Status:
        return self._told(self._traffic.status())

    def set(self, candidate: str, share: float, lease: int, matched: str | None = None) -> Status:
        return self._told(self._traffic.set(candidate, share, lease, matched))

    def release(self) -> Status:
        return self._told(self._traffic.release())

    def promote(self, colour: str, *, leased: bool = False) -> Status:
        return self._told(self._traffic.promote(colour, leased=leased))

    def _told(self, status: Status) -> Status:
        self._tell({colour: status.share(colour) for colour in self._colours})
        return status
