"""The protocol of what splits traffic, and the state that it reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

UP = "UP"


@dataclass(frozen=True, slots=True)
class Status:
    """What the proxy does right now, by server; a server's name is ``<colour>-<n>``.

    Attributes:
        live: the colour that traffic belongs to when no canary runs.
        lease_until: when the proxy takes the candidate's weight back by itself; None: no lease.
        requests, errors, retries, redispatches: counted since the proxy started.
    """

    live: str
    weights: Mapping[str, int]
    states: Mapping[str, str] = field(default_factory=dict)
    lease_until: float | None = None
    requests: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)
    retries: Mapping[str, int] = field(default_factory=dict)
    redispatches: Mapping[str, int] = field(default_factory=dict)

    def servers(self, colour: str) -> tuple[str, ...]:
        """Return the servers of one colour, blue-2 before blue-10."""
        names = [name for name in self.weights if colour_of(name) == colour]
        return tuple(sorted(names, key=lambda name: (len(name), name)))

    def share(self, colour: str) -> float:
        """Return the part of all weight that one colour carries."""
        total = sum(self.weights.values())
        own = sum(self.weights[name] for name in self.servers(colour))
        return own / total if total else 0.0

    def down(self, colour: str) -> tuple[str, ...]:
        """Return the servers of one colour that do not take traffic."""
        return tuple(
            name for name in self.servers(colour) if not self.states.get(name, "").startswith(UP)
        )


def colour_of(server: str) -> str:
    """Return the colour of a server.

    >>> colour_of("blue-12")
    'blue'
    """
    return server.rpartition("-")[0]


class Traffic(Protocol):
    """What splits traffic between two colours. Every method raises ``TrafficError``.

    Whoever raises a weight holds a lease of some seconds: unless it is renewed, the proxy
    itself takes the weight back.
    """

    def status(self) -> Status:
        """Return what the proxy does right now."""
        ...

    def set(self, candidate: str, share: float, lease: int, matched: str | None = None) -> None:
        """Let ``candidate`` carry ``share`` of all traffic, and arm the lease.

        ``matched`` names one live server that is to carry as much as one candidate's.
        """
        ...

    def renew(self, lease: int) -> None:
        """Re-arm the lease for ``lease`` seconds from now."""
        ...

    def release(self) -> None:
        """Give all traffic back to the live colour, at once; harmless when repeated."""
        ...

    def promote(self, colour: str) -> None:
        """Make ``colour`` live: it carries all traffic, without a lease."""
        ...

    def describe(self) -> str:
        """Say in one line which proxy this is."""
        ...
