"""The simulated state of an environment, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from canary.errors import StateError
from canary.state.base import AlarmChange, Holder, Live, Row, StoredObject


class Memory:
    """The lock, the live release and the history. Uploads are dropped; their files are on disk."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._holder: Holder | None = None
        self._rows: list[Row] = []

    def holder(self) -> Holder | None:
        return self._holder

    def take(self, holder: Holder, instead_of: Holder | None) -> bool:
        if self._holder != instead_of:
            return False
        self._holder = holder
        return True

    def renew(self, holder: Holder) -> None:
        self._holder = holder

    def free(self, holder: Holder) -> None:
        if self._holder is not None and self._holder.canary == holder.canary:
            self._holder = None

    def live(self) -> Live:
        return self._live

    def set_live(self, live: Live) -> None:
        self._live = live

    def remember(self, row: Row) -> None:
        self._rows.insert(0, row)

    def history(self, limit: int) -> Sequence[Row]:
        return self._rows[:limit]

    def missed(self) -> str:
        return ""

    def alarm_changes(self, limit: int) -> Sequence[AlarmChange]:  # noqa: ARG002 - the protocol's
        return ()

    def announce(self, subject: str, message: Mapping[str, object]) -> None:
        """Do nothing: the simulation has no subscribers."""

    def find(self, key: str) -> StoredObject | None:  # noqa: ARG002 - the protocol's
        return None

    def fetch(self, key: str) -> bytes:
        raise StateError(f"There is no {key}: a simulated environment stores nothing")

    def store(self, key: str, body: bytes, metadata: Mapping[str, str]) -> StoredObject:  # noqa: ARG002
        return StoredObject(key, metadata)

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        return dict.fromkeys(names, "OK")
