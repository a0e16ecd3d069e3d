"""History of all alarms, including deleted ones, for two weeks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from threading import RLock
from typing import Any, Self

from local_cloud.cloudwatch import periods
from local_cloud.cloudwatch.alarms.reasons import stamp
from local_cloud.cloudwatch.alarms.state import Alarm, State

KEPT = 14 * periods.DAY  # "CloudWatch preserves alarm history for two weeks"


@dataclass(frozen=True, slots=True)
class Item:
    """One event; ``kind`` is StateUpdate, ConfigurationUpdate or Action."""

    alarm: str
    composite: bool
    time: float
    kind: str
    summary: str
    data: str

    def dump(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def load(cls, data: dict[str, Any]) -> Self:
        return cls(**data)


class History:
    def __init__(self) -> None:
        self._items: list[Item] = []
        self._lock = RLock()

    def items(self) -> list[Item]:
        """Return all items, oldest first."""
        with self._lock:
            return list(self._items)

    def load(self, items: Iterable[Item]) -> None:
        with self._lock:
            self._items = list(items)

    def forget(self, now: float) -> None:
        with self._lock:
            self._items = [item for item in self._items if item.time >= now - KEPT]

    def configured(self, alarm: Alarm, what: str, now: float) -> None:
        """Record that an alarm was created, updated or deleted."""
        data = {"version": "1.0", "type": what.capitalize(), "configuration": alarm.parameters}
        self._add(alarm, now, "ConfigurationUpdate", f'Alarm "{alarm.name}" {what}', data)

    def changed(self, alarm: Alarm, old: State) -> None:
        """Record that an alarm left the state ``old``."""
        summary = f"Alarm updated from {old.value} to {alarm.state.value}"
        data = {"version": "1.0", "oldState": _state(old), "newState": _state(alarm.state)}
        self._add(alarm, alarm.state.updated, "StateUpdate", summary, data)

    def acted(self, alarm: Alarm, action: str, message: str, error: str | None, now: float) -> None:
        """Record that an action ran, or why it failed."""
        summary = (
            f"Successfully executed action {action}"
            if error is None
            else f"Failed to execute action {action}. Received error: {error!r}"
        )
        data = {
            "actionState": "Succeeded" if error is None else "Failed",
            "stateUpdateTimestamp": stamp(alarm.state.updated),
            "notificationResource": action,
            "publishedMessage": message,
            "error": error,
        }
        self._add(alarm, now, "Action", summary, data)

    def _add(self, alarm: Alarm, now: float, kind: str, summary: str, data: dict[str, Any]) -> None:
        with self._lock:
            self._items.append(
                Item(alarm.name, alarm.composite, now, kind, summary, json.dumps(data))
            )


def _state(state: State) -> dict[str, Any]:
    return {
        "stateValue": state.value,
        "stateReason": state.reason,
        **({"stateReasonData": json.loads(state.reason_data)} if state.reason_data else {}),
    }
