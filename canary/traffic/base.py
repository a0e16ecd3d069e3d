"""The protocol of a traffic splitter, and the status that it reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from canary.formatting import percent

SERVING = ("UP", "no")  # "no": HAProxy's word for a server without a health check
TIMES = ("timed", "microseconds")
"""The counters that the proxy's latency is made of: timed responses, and their times together."""


@dataclass(frozen=True, slots=True)
class Drill:
    """What the proxy adds to the responses of a candidate's servers.

    Attributes:
        errors: share of GET, HEAD and OPTIONS requests that get 500 instead of their response.
        delay: milliseconds before each response.
        writes: the errors are for requests of all methods.
    """

    errors: float = 0.0
    delay: int = 0
    writes: bool = False

    def __str__(self) -> str:
        requests = "requests" if self.writes else "GET, HEAD and OPTIONS requests"
        errors = [f"{percent(self.errors)} of its {requests} get an error"] if self.errors else []
        delay = [f"each response comes {self.delay} ms later"] if self.delay else []
        return " and ".join(errors + delay)


@dataclass(frozen=True, slots=True)
class Status:
    """The proxy's current state, by server. A server's name is ``<colour>-<n>``.

    Attributes:
        live: the colour that traffic belongs to when no canary runs.
        shares: each server's real share of all users.
        fallback: the servers that can replace the live colour. After a promotion, these are the
            old release's, so that a rollback is possible.
        lease_until: when the proxy itself takes the candidate's weight back; None: no lease.
        counters: by counter and server, since the proxy started.
        started: when the proxy's worker started, which set all counters to zero; None: not known.
        releases: reported by each server that reports one.
        clocks: seconds by which the clock of each server is ahead of the proxy's, where known.
        metrics_until: the end of the newest period whose metrics each server has sent, where known.
        drill: what the proxy adds to a candidate's responses now.
        can_drill: whether the proxy can add errors or a delay.
    """

    live: str
    weights: Mapping[str, int]
    shares: Mapping[str, float]
    states: Mapping[str, str]
    fallback: tuple[str, ...] = ()
    lease_until: float | None = None
    counters: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    releases: Mapping[str, str] = field(default_factory=dict)
    clocks: Mapping[str, int] = field(default_factory=dict)
    metrics_until: Mapping[str, int] = field(default_factory=dict)
    drill: Drill | None = None
    can_drill: bool = True
    started: int | None = None

    def servers(self, colour: str) -> tuple[str, ...]:
        """Return the servers of one colour, blue-2 before blue-10."""
        names = [name for name in self.weights if colour_of(name) == colour]
        return tuple(sorted(names, key=lambda name: (len(name), name)))

    def share(self, colour: str) -> float:
        """Return one colour's share of all users."""
        return sum(self.shares.get(name, 0.0) for name in self.servers(colour))

    def weight(self, colour: str) -> int:
        """Return the sum of one colour's weights."""
        return sum(self.weights[name] for name in self.servers(colour))

    def total(self, counter: str, colour: str) -> int:
        """Return the sum of a counter over one colour's servers."""
        counts = self.counters.get(counter, {})
        return sum(counts.get(name, 0) for name in self.servers(colour))

    def down(self, colour: str) -> tuple[str, ...]:
        """Return the servers of one colour that do not take traffic."""
        return tuple(n for n in self.servers(colour) if self.states.get(n) not in SERVING)

    def releases_on(self, colour: str) -> tuple[str, ...]:
        """Return the releases that one colour's servers report; more than one if it is mixed."""
        found = {self.releases[n] for n in self.servers(colour) if n in self.releases}
        return tuple(sorted(found))


def colour_of(server: str) -> str:
    """Return the colour of a server.

    >>> colour_of("blue-12")
    'blue'
    """
    return server.rpartition("-")[0]


class Traffic(Protocol):
    """A proxy that splits traffic between two colours. Every method raises ``TrafficError``.

    A raised weight has a lease of some seconds. Unless the lease is renewed, the proxy itself takes
    the weight back. A method that changes weights returns the status after the change.
    """

    def status(self) -> Status:
        """Return the proxy's current state."""
        ...

    def set(self, candidate: str, share: float, lease: int, matched: str | None = None) -> Status:
        """Let ``candidate`` carry ``share`` of all traffic, and arm the lease.

        ``matched`` names one live server that is to carry as much as one candidate's.
        """
        ...

    def renew(self, lease: int) -> None:
        """Re-arm the lease for ``lease`` seconds from now."""
        ...

    def release(self) -> Status:
        """Return all traffic to the live colour at once; can be repeated."""
        ...

    def promote(self, colour: str, *, leased: bool = False) -> Status:
        """Make ``colour`` live: it carries all traffic, without a lease.

        With ``leased``, refuse a candidate that lost its lease meanwhile.
        """
        ...

    def standby(self, colour: str, *, may: bool) -> Status:
        """Let an idle colour replace the live one if that goes down, or no longer."""
        ...

    def describe(self) -> str:
        """Describe the proxy in one line."""
        ...
