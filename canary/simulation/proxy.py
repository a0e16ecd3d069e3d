"""The simulated proxy: weights, a lease, and counters that agree with them."""

from __future__ import annotations

from collections.abc import Mapping

from canary.environment import other_colour
from canary.errors import TrafficError
from canary.policy import COUNTERS
from canary.simulation.clock import Clock
from canary.simulation.service import Service
from canary.traffic.base import TIMES, Status, colour_of

PER_COLOUR = 2
FULL = 256


class Proxy:
    """A proxy with two colours of two servers each."""

    def __init__(self, clock: Clock, service: Service, colours: tuple[str, str]) -> None:
        self._clock = clock
        self._service = service
        self._colours = colours
        self._servers = [f"{c}-{n + 1}" for c in colours for n in range(PER_COLOUR)]
        self._live = colours[0]
        self._until: float | None = None
        self._counted = {what: dict.fromkeys(self._servers, 0.0) for what in COUNTERS + TIMES}
        self._since = clock.now()
        self._shares: list[tuple[float, dict[str, float]]] = []
        self._change(self._whole(self._live))

    def describe(self) -> str:
        return "simulated proxy"

    def status(self) -> Status:
        if self._until is not None and self._clock.now() >= self._until:
            self._until = None
            self._change(self._whole(self._live))
        self._count()
        shares = self._shares[-1][1]
        installed = self._service.installed
        return Status(
            live=self._live,
            weights={name: round(FULL * share) for name, share in shares.items()},
            shares=dict(shares),
            states=dict.fromkeys(self._servers, "UP"),
            lease_until=self._until,
            counters={
                what: {name: int(number) for name, number in by_server.items()}
                for what, by_server in self._counted.items()
            },
            releases={name: installed[colour_of(name)].name for name in self._servers},
        )

    def set(self, candidate: str, share: float, lease: int, matched: str | None = None) -> Status:
        one = share / PER_COLOUR
        others = [name for name in self._servers if colour_of(name) != candidate]
        free = [name for name in others if name != matched]
        rest = 1 - share - (one if matched else 0.0)
        shares = dict.fromkeys(self._servers, one) | dict.fromkeys(free, rest / len(free))
        self._change(shares)
        self._until = self._clock.now() + lease
        return self.status()

    def renew(self, lease: int) -> None:
        if self._until is None or self._clock.now() >= self._until:
            raise TrafficError("There is no lease to renew")
        self._until = self._clock.now() + lease

    def release(self) -> Status:
        return self.promote(self._live)

    def promote(self, colour: str, *, leased: bool = False) -> Status:  # noqa: ARG002 - one user
        self._live, self._until = colour, None
        self._change(self._whole(colour))
        return self.status()

    def standby(self, colour: str, *, may: bool) -> Status:  # noqa: ARG002 - nothing goes down here
        return self.status()

    def share_at(self, server: str, moment: float) -> float:
        """Return a server's share of all users at an earlier time."""
        past = (shares for since, shares in reversed(self._shares) if since <= moment)
        return next(past, self._shares[0][1])[server]

    def _whole(self, colour: str) -> dict[str, float]:
        other = other_colour(self._colours, colour)
        return {name: (colour_of(name) != other) / PER_COLOUR for name in self._servers}

    def _change(self, shares: Mapping[str, float]) -> None:
        if self._shares:
            self._count()
        self._shares.append((self._clock.now(), dict(shares)))

    def _count(self) -> None:
        """Add the requests since the last count, in whole seconds of the service's demand."""
        now, shares = self._clock.now(), self._shares[-1][1]
        period = self._service.period
        while self._since < now:
            start = int(self._since // period) * period
            end = min(now, start + period)
            for name, share in shares.items():
                requests = self._service.demand(start) * share * (end - self._since)
                self._counted["requests"][name] += requests
                failed = self._service.failures(name, self._since, requests)
                self._counted["errors"][name] += failed
                took = self._service.response_time(name, self._since, requests)
                self._counted["timed"][name] += requests
                self._counted["microseconds"][name] += 1000 * took * requests
            self._since = end
