"""The protocol of an environment's memory: what outlives a canary and the machine it ran on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the lock, and since when.

    Attributes:
        until: when it would be over without a renewal, by the holder's clock; for people only.
        beat: counts the renewals, so that whoever watches sees them.
    """

    canary: str
    who: str
    since: float
    until: float
    beat: int = 0


@dataclass(frozen=True, slots=True)
class Live:
    """The colour that customers are meant to meet, and its release; empty if that is not known."""

    colour: str
    release: str = ""

    def __str__(self) -> str:
        return f"{self.colour} ({self.release})" if self.release else self.colour


@dataclass(frozen=True, slots=True)
class Row:
    """One canary in the history, a release deployed without a canary, or a move made by hand.

    Attributes:
        colours: where the candidate was put, separated by spaces.
    """

    canary: str
    started: float
    ended: float
    verdict: str
    exit_status: int
    baseline: str
    candidate: str
    live: str
    who: str
    reason: str
    report: str = ""
    colours: str = ""


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """One change of an alarm's state, as the alarm recorder kept it."""

    time: str
    alarm: str
    old: str
    new: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in the bucket: where it is, and what was said about it."""

    url: str
    metadata: Mapping[str, str]


class State(Protocol):
    """The memory of one environment. Every method raises ``StateError``."""

    def holder(self) -> Holder | None:
        """Return who has the lock, dead or alive."""
        ...

    def take(self, holder: Holder, instead_of: Holder | None) -> bool:
        """Take the lock if it is still as it was found; tell whether it was."""
        ...

    def renew(self, holder: Holder) -> None:
        """Keep the lock; raise if somebody else has it now."""
        ...

    def free(self, holder: Holder) -> None:
        """Give the lock back, if it is still this holder's."""
        ...

    def live(self) -> Live:
        """Return what is meant to be live."""
        ...

    def set_live(self, live: Live) -> None:
        """Remember what is meant to be live."""
        ...

    def remember(self, row: Row) -> None:
        """Add a canary to the history."""
        ...

    def history(self, limit: int) -> Sequence[Row]:
        """Return the newest canaries, newest first."""
        ...

    def alarm_changes(self, limit: int) -> Sequence[AlarmChange]:
        """Return the newest changes of alarms, newest first."""
        ...

    def announce(self, subject: str, message: Mapping[str, object]) -> None:
        """Tell whoever subscribed."""
        ...

    def find(self, key: str) -> StoredObject | None:
        """Return the object under ``key``, or None."""
        ...

    def fetch(self, key: str) -> bytes:
        """Return what is under ``key``."""
        ...

    def store(self, key: str, body: bytes, metadata: Mapping[str, str]) -> StoredObject:
        """Keep ``body`` under ``key``."""
        ...

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return each alarm's state: OK, ALARM or INSUFFICIENT_DATA; raise if one is unknown."""
        ...


class Board(Protocol):
    """Where people watch releases. No canary waits for it, and none ends because of it."""

    def tell(self, shares: Mapping[str, float]) -> None:
        """Say which part of all users each colour gets; returns at once and never raises."""
        ...

    def mark(self, rows: Sequence[Row]) -> None:
        """Show these verdicts, and no others; raise ``StateError`` if it could not be done."""
        ...
