"""Watches the proxy: does the canary still control traffic, and is the candidate healthy?"""

from __future__ import annotations

from canary.errors import TrafficError
from canary.model import Verdict
from canary.rollout.context import Context
from canary.rollout.identity import exchanged, without_release
from canary.rollout.missing_metrics import wrong_clock
from canary.rollout.outcome import Ending
from canary.rollout.progress import Progress
from canary.traffic.base import Status

DOWN_LOOKS = 2
"""Number of looks during which a candidate may fail its health checks."""
EXCESS, EXCESS_POINTS, EXCESS_LOOKS = 2.0, 0.1, 2
"""The candidate carries too much traffic if its share is above this multiple of the intended share,
and above it by this part of all traffic, at this many looks in a row."""
IDENTITY_TRIES = 5
"""Number of times, a second apart, that the servers' release is read before a promotion."""


class Watch:
    """Reads the proxy once per period."""

    def __init__(self, context: Context, progress: Progress) -> None:
        self._context = context
        self._progress = progress
        self._colour = progress.pairing.candidate.colour
        self._down = 0
        self._swollen = 0
        self.status: Status | None = None

    def look(self) -> Ending | None:
        """Read the proxy, and return the end of the canary if there is one.

        If the proxy does not respond, the canary waits until the lease ends. By then the proxy has
        returned all traffic to the live colour.
        """
        self.status = None
        if lost := self._context.keeper.lost():
            return Ending(None, f"Traffic went back to the live colour: {lost}")
        try:
            self.status = self._context.ports.traffic.status()
        except TrafficError as error:
            self._context.warn(str(error))
            return None
        return (
            self._overruled(self.status)
            or self._exchanged(self.status)
            or self._mistimed(self.status)
            or self._unhealthy(self.status)
            or self._overloaded(self.status)
        )

    def identified(self) -> Ending | None:
        """Verify that the candidate still runs the judged release."""
        silent: tuple[str, ...] = ()
        for _ in range(IDENTITY_TRIES):
            status = self._context.ports.traffic.status()
            if (ending := self._exchanged(status)) is not None:
                return ending
            if not (silent := without_release(status, self._progress.expected)):
                return None
            self._context.sleep_until(self._context.now() + 1)
        return Ending(None, f"Could not judge: {', '.join(silent)} did not report its release")

    def _exchanged(self, status: Status) -> Ending | None:
        wrong = exchanged(status, self._progress.expected)
        if not wrong:
            return None
        reason = f"Could not judge, because a release was replaced: {wrong}"
        return Ending(None, reason, replaced=True)

    def _mistimed(self, status: Status) -> Ending | None:
        if not self._context.ports.source.own_clocks:
            return None
        wrong = wrong_clock(status, self._colour, self._progress.period)
        return Ending(Verdict.INCONCLUSIVE, wrong) if wrong else None

    def _overruled(self, status: Status) -> Ending | None:
        if status.live == self._colour:
            reason = f"{self._colour} was promoted by hand while it was judged"
            return Ending(Verdict.INCONCLUSIVE, reason, settled=True)
        if status.lease_until is None or not status.weight(self._colour):
            return Ending(
                None,
                f"Another user reset the weight of {self._colour}, or its lease expired",
            )
        return None

    def _unhealthy(self, status: Status) -> Ending | None:
        down = status.down(self._colour)
        self._down = self._down + 1 if down == status.servers(self._colour) else 0
        if self._down <= DOWN_LOOKS:
            return None
        reason = f"The candidate fails its health checks: {states_of(status, down)}"
        return Ending(Verdict.FAIL, reason)

    def _overloaded(self, status: Status) -> Ending | None:
        """Return the end of a canary whose candidate replaces live servers that are down.

        Before that, the proxy sets the weights again. If it cannot, the canary ends. While no live
        server is up, the candidate keeps its weight, because users have nothing else.
        """
        meant = self._progress.share
        real = status.share(self._colour)
        down = status.down(status.live)
        alone = down == status.servers(status.live)
        swollen = real > max(EXCESS * meant, meant + EXCESS_POINTS)
        self._swollen = self._swollen + 1 if swollen and not alone else 0
        if self._swollen < EXCESS_LOOKS:
            return None
        reason = f"{self._colour} carries {real:.0%} of traffic instead of {meant:.1%}"
        if down:
            reason += f", because {states_of(status, down)}"
        return Ending(Verdict.INCONCLUSIVE, reason)


def states_of(status: Status, names: tuple[str, ...]) -> str:
    """Return the states of some servers."""
    return ", ".join(f"{name} is {status.states[name]}" for name in names)
