"""The protocol of an environment's state, which outlives a canary and its machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from canary.errors import StateError

VERSION = 1
"""Of stored rows and files. It rises when an older canary would misread what a newer one stored."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder of the lock.

    Attributes:
        until: when it expires without a renewal, by the holder's clock; only for display.
        beat: number of renewals, so that other processes can see them.
    """

    canary: str
    who: str
    since: float
    until: float
    beat: int = 0


@dataclass(frozen=True, slots=True)
class Live:
    """The live colour, and its release, which is empty if unknown."""

    colour: str
    release: str = ""

    def __str__(self) -> str:
        return f"{self.colour} ({self.release})" if self.release else self.colour


@dataclass(frozen=True, slots=True)
class Row:
    """One canary in the history, a release deployed without a canary, or a move made by hand.

    Attributes:
        colours: on which the candidate was installed, separated by spaces.
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
    """A change of an alarm's state, from the alarm recorder."""

    time: str
    alarm: str
    old: str
    new: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in the bucket, with its metadata."""

    url: str
    metadata: Mapping[str, str]


def refuse_newer(stored: object, where: str) -> None:
    """Refuse what a newer canary stored. Without a version, it is of version 1.

    Raises:
        StateError: its version is not known here.
    """
    version = 1 if stored is None else stored
    if version != VERSION:
        raise StateError(
            f"{where} has version {version}, and this canary reads version {VERSION}. Install "
            "the canary that wrote it, or a newer one"
        )


class Lock(Protocol):
    """The lock of one environment. Every method raises ``StateError``."""

    def holder(self) -> Holder | None:
        """Return the holder of the lock, even if its process has ended."""
        ...

    def take(self, holder: Holder, instead_of: Holder | None) -> bool:
        """Take the lock if it has not changed since it was read; return whether it was taken."""
        ...

    def renew(self, holder: Holder) -> None:
        """Renew the lock; raise if somebody else has it now."""
        ...

    def free(self, holder: Holder) -> None:
        """Free the lock, if this holder still has it."""
        ...


class SharedLock(Lock, Protocol):
    """A lock that also keeps the last change of the environment that anybody recorded."""

    def last(self) -> tuple[str, str] | None:
        """Return the last change, and who made it."""
        ...

    def record(self, canary: str, who: str) -> None:
        """Keep the last change."""
        ...


class State(Lock, Protocol):
    """The state of one environment: of kind ``aws`` or ``file``.

    Every method raises ``StateError``.
    """

    def live(self) -> Live:
        """Return the release that should be live."""
        ...

    def set_live(self, live: Live) -> None:
        """Store the release that should be live."""
        ...

    def remember(self, row: Row) -> None:
        """Add a canary to the history."""
        ...

    def history(self, limit: int) -> Sequence[Row]:
        """Return the newest canaries, newest first."""
        ...

    def missed(self) -> str:
        """Return a sentence about a change that this state does not know, or an empty string."""
        ...

    def alarm_changes(self, limit: int) -> Sequence[AlarmChange]:
        """Return the newest changes of alarms, newest first."""
        ...

    def announce(self, subject: str, message: Mapping[str, object]) -> None:
        """Send a message to all subscribers."""
        ...

    def find(self, key: str) -> StoredObject | None:
        """Return the object under ``key``, or None."""
        ...

    def fetch(self, key: str) -> bytes:
        """Return the content of ``key``."""
        ...

    def store(self, key: str, body: bytes, metadata: Mapping[str, str]) -> StoredObject:
        """Store ``body`` under ``key``."""
        ...

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return each alarm's state: OK, ALARM or INSUFFICIENT_DATA; raise if one is unknown."""
        ...


class Board(Protocol):
    """A dashboard of releases. A canary does not wait for it, nor end by its errors."""

    def tell(self, shares: Mapping[str, float]) -> None:
        """Show each colour's share of traffic; return at once and never raise."""
        ...

    def mark(self, rows: Sequence[Row]) -> None:
        """Show these verdicts, and no others; raise ``StateError`` if it could not be done."""
        ...

    def count(self, verdict: str, seconds: float, score: float | None) -> None:
        """Count a canary that ended, by its verdict, as a metric; never raise."""
        ...
