"""A proxy whose weights are also reported to somebody else."""

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
        self.set = traffic.set
        self.renew = traffic.renew
        self.release = traffic.release
        self.describe = traffic.describe

    def status(self) -> Status:
        found = self._traffic.status()
        self._tell({colour: found.share(colour) for colour in self._colours})
        return found

    def promote(self, colour: str) -> None:
        self._traffic.promote(colour)
        self._tell({each: float(each == colour) for each in self._colours})
