"""The state of a simulated environment: lock, live colour, history, objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from canary.state.base import AlarmChange, Holder, Live, Row, StoredObject
from tests.unit.canary.rollout_fakes import Time, Troubles


class Memory:
    """The state in memory, as plain attributes."""

    def __init__(self, time: Time, troubles: Troubles) -> None:
        self.time = time
        self.troubles = troubles
        self.colour = "blue"
        self.release = ""
        self.held: Holder | None = None
        self.rows: list[Row] = []
        self.changes: list[AlarmChange] = []
        self.objects: dict[str, bytes] = {}
        self.said: list[str] = []
        self.alarm = "OK"
        self.unknown = ""

    def holder(self) -> Holder | None:
        return self.held

    def beat(self) -> None:
        """Renew the lock, as a living holder does."""
        if self.held is not None:
            self.held = replace(self.held, beat=self.held.beat + 1)

    def take(self, holder: Holder, instead_of: Holder | None) -> bool:
        if self.held != instead_of:
            return False
        self.troubles.meet("state.take", lambda: setattr(self, "held", holder))
        return True

    def renew(self, holder: Holder) -> None:
        self.troubles.meet("state.renew", lambda: setattr(self, "held", holder))

    def free(self, holder: Holder) -> None:
        def effect() -> None:
            if self.held and self.held.canary == holder.canary:
                self.held = None

        self.troubles.meet("state.free", effect)

    def live(self) -> Live:
        self.troubles.meet("state.live", lambda: None)
        return Live(self.colour, self.release)

    def set_live(self, live: Live) -> None:
        def effect() -> None:
            self.colour, self.release = live.colour, live.release

        self.troubles.meet("state.set_live", effect)

    def remember(self, row: Row) -> None:
        self.troubles.meet("state.remember", lambda: self.rows.insert(0, row))

    def history(self, limit: int) -> Sequence[Row]:
        self.troubles.meet("state.history", lambda: None)
        return self.rows[:limit]

    def missed(self) -> str:
        return self.unknown

    def alarm_changes(self, limit: int) -> Sequence[AlarmChange]:
        return self.changes[::-1][:limit]

    def announce(self, subject: str, message: Mapping[str, object]) -> None:
        self.troubles.meet("state.announce", lambda: self.said.append(f"{subject} {message}"))

    def find(self, key: str) -> StoredObject | None:
        self.troubles.meet("state.find", lambda: None)
        return StoredObject(key, {}) if key in self.objects else None

    def fetch(self, key: str) -> bytes:
        return self.objects[key]

    def store(self, key: str, body: bytes, metadata: Mapping[str, str]) -> StoredObject:
        self.troubles.meet("state.store", lambda: self.objects.update({key: body}))
        return StoredObject(key, metadata)

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        self.troubles.meet("state.alarms", lambda: None)
        return dict.fromkeys(names, self.alarm)
