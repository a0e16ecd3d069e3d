"""Promotion and rollback by hand. Idempotent, and without the lock.

First the proxy is changed, because it serves users, then the state. If the two differ, no traffic
moves until a person names the colour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from canary.environment import Colours, other_colour
from canary.errors import CanaryError, StateError, TrafficError
from canary.rollout.identity import disagreement, name_one, served
from canary.rollout.situation import verdict_on
from canary.state.base import Live, Row, State
from canary.traffic.base import Status, Traffic

PROMOTED = "PROMOTED"
ROLLED_BACK = "ROLLED BACK"


@dataclass(frozen=True, slots=True)
class Done:
    """The result of an operation, and the release that is live now."""

    sentence: str
    live: Live


@dataclass(frozen=True, slots=True)
class Manual:
    """Manual operations on one environment.

    Attributes:
        name: returns the name of a new row of the history.
    """

    environment: str
    colours: Colours
    traffic: Traffic
    state: State
    who: str
    now: Callable[[], float]
    name: Callable[[float], str]

    def promote(self, colour: str | None, *, force: bool) -> Done:
        """Make ``colour``, or the candidate that carries traffic now, live."""
        status, meant = self.traffic.status(), self._meant()
        self._named(colour, status, meant)
        leased = colour is None
        colour = self._candidate(status) if colour is None else colour
        live = served(status, colour)
        moves = status.live != colour or status.lease_until is not None
        if not moves and meant == live and not self._missed():
            return Done(f"{live} is live already", live)
        if not force:
            self._refuse(colour, status)
        after = self.traffic.promote(colour, leased=leased) if moves else status
        sentence = f"{live} is live and carries all traffic"
        return self._done(PROMOTED, live, (status, after), sentence)

    def rollback(self, colour: str | None) -> Done:
        """Take all traffic from a candidate, or return to the previous release."""
        status, meant = self.traffic.status(), self._meant()
        self._named(colour, status, meant)
        other = other_colour(self.colours, status.live)
        if status.lease_until is not None or status.weight(other):
            after = self._take_back(colour, status)
            live = served(status, colour or status.live)
            idle = other_colour(self.colours, live.colour)
            sentence = f"{live} carries all traffic; {idle} carries none"
            return self._done(ROLLED_BACK, live, (status, after), sentence)
        if meant is not None and meant.colour != status.live and colour is not None:
            after = self.traffic.promote(colour) if colour != status.live else status
            live = served(status, colour)
            return self._done(ROLLED_BACK, live, (status, after), f"{live} is live, as requested")
        return self._return(colour, status)

    def _return(self, colour: str | None, status: Status) -> Done:
        other = other_colour(self.colours, status.live)
        trusted = any(name in status.fallback for name in status.servers(other))
        if not trusted and self._rolled_back(status.live):
            live = served(status, status.live)
            return Done(f"Rolled back already: {live} is live and carries all traffic", live)
        if colour == status.live or not trusted:
            raise TrafficError(
                f"Nothing was rolled back: {served(status, status.live)} is live and carries all "
                f"traffic, and {served(status, other)} is not a standby, so there is no release "
                f"to return to. Check: canary status --env {self.environment}. Install the release "
                f"that you want on {other}: canary deploy REF --env {self.environment}, then "
                f"canary promote --env {self.environment} --colour {other}"
            )
        after = self.traffic.promote(other)
        live = served(status, other)
        sentence = f"Rolled back to the previous release: {live} is live and carries all traffic"
        return self._done(ROLLED_BACK, live, (status, after), sentence)

    def _rolled_back(self, live: str) -> bool:
        newest = self._history()[:1]
        return any(row.verdict == ROLLED_BACK and row.live == live for row in newest)

    def _take_back(self, colour: str | None, status: Status) -> Status:
        if colour in (None, status.live):
            return self.traffic.release()
        return self.traffic.promote(str(colour))

    def _named(self, colour: str | None, status: Status, meant: Live | None) -> None:
        """Refuse an unknown colour, and require one where state and proxy differ."""
        if colour is not None and colour not in self.colours:
            names = " and ".join(self.colours)
            raise TrafficError(f"No colour is named {colour!r}; there are {names}")
        difference = self._missed()
        if not difference and meant is not None and meant.colour != status.live:
            difference = disagreement(meant, status)
        if colour is None and difference:
            colours = (meant.colour, status.live) if meant else (status.live,)
            command = name_one(self.environment, colours)
            raise StateError(f"{difference}. Nothing was changed. {command}")

    def _candidate(self, status: Status) -> str:
        for colour in self.colours:
            if colour != status.live and status.weight(colour):
                return colour
        raise TrafficError(
            f"No candidate carries traffic, and {status.live} is live. Name the colour: "
            f"--colour {' or --colour '.join(self.colours)}"
        )

    def _refuse(self, colour: str, status: Status) -> None:
        """Refuse a colour that cannot serve."""
        why = []
        if down := status.down(colour):
            why.append(", ".join(f"{name} is {status.states[name]}" for name in down))
        if len(found := status.releases_on(colour)) > 1:
            why.append(f"its servers report {' and '.join(found)}")
        why += self._failed(colour, status)
        if why:
            raise TrafficError(
                f"{colour} was not promoted: {'; '.join(why)}. To promote it anyway: "
                f"canary promote --env {self.environment} --colour {colour} --force"
            )

    def _failed(self, colour: str, status: Status) -> list[str]:
        """Return why the last verdict on a colour forbids it; an unknown verdict forbids it too."""
        try:
            row = verdict_on(colour, status.releases_on(colour), self.state.history(50))
        except CanaryError as error:
            return [f"the last verdict on it is unknown ({error})"]
        if row is None or row.verdict != "FAIL":
            return []
        return [f"its release failed canary {row.canary}: {row.reason}"]

    def _meant(self) -> Live | None:
        """Return the release that should be live, or None if the state cannot be read."""
        try:
            return self.state.live()
        except CanaryError:
            return None

    def _missed(self) -> str:
        try:
            return self.state.missed()
        except CanaryError:
            return ""

    def _history(self) -> tuple[Row, ...]:
        try:
            return tuple(self.state.history(50))
        except CanaryError:
            return ()

    def _done(self, word: str, live: Live, moved: tuple[Status, Status], sentence: str) -> Done:
        """Verify that the proxy serves the colour, then update the state.

        ``moved`` is the proxy's status before the change, and after it.
        """
        before, status = moved
        other = other_colour(self.colours, live.colour)
        if status.live != live.colour or status.weight(other) or not status.share(live.colour):
            raise TrafficError(
                f"Traffic is not on {live.colour}: {_elsewhere(live.colour, status)}. Check: "
                f"canary status --env {self.environment}"
            )
        now = self.now()
        row = Row(
            canary=self.name(now),
            started=now,
            ended=now,
            verdict=word,
            exit_status=0,
            baseline=str(served(before, before.live)),
            candidate=live.release,
            live=live.colour,
            who=self.who,
            reason=f"By hand: {sentence}",
        )
        try:
            self.state.set_live(live)
            self.state.remember(row)
        except CanaryError as error:
            raise StateError(
                f"Traffic is on {live.colour}, but the state could not be updated: {error}. "
                f"Repeat later: canary promote --env {self.environment} --colour {live.colour}"
            ) from error
        self._confirm(live)
        return Done(sentence, live)

    def _confirm(self, live: Live) -> None:
        """Verify that nobody else moved traffic while the state was written."""
        if (now := self.traffic.status().live) != live.colour:
            command = name_one(self.environment, (now, live.colour))
            raise TrafficError(f"{live} was live, but another user made {now} live. {command}")


def _elsewhere(colour: str, status: Status) -> str:
    """Return why the traffic is not on a colour."""
    down = status.down(colour)
    if down == status.servers(colour):
        return (
            f"none of its servers is up ({', '.join(f'{n} is {status.states[n]}' for n in down)})"
        )
    return f"the proxy serves {status.live}, with weights {dict(status.weights)}"
