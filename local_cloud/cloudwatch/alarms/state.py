"""A stored alarm: its parameters, its state, and the time of the last change."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from local_cloud.cloudwatch.alarms import reasons
from local_cloud.cloudwatch.alarms.condition import StateValue


@dataclass(frozen=True, slots=True)
class State:
    """A state. ``updated``: when it was set. ``transitioned``: when the value last changed."""

    value: StateValue
    reason: str
    reason_data: str | None
    updated: float
    transitioned: float


@dataclass(slots=True)
class Alarm:
    """An alarm. ``parameters`` are those of the Put...Alarm call; the API returns them unchanged.

    Attributes:
        evaluated_until: end of the data of the last evaluation of a metric alarm.
        children_seen: states of the children at the last evaluation of a composite alarm.
    """

    name: str
    arn: str
    composite: bool
    parameters: dict[str, Any]
    updated: float
    state: State
    tags: dict[str, str] = field(default_factory=dict)
    evaluated_until: float = 0
    children_seen: dict[str, str] | None = None

    @classmethod
    def new(cls, arn: str, parameters: dict[str, Any], now: float, *, composite: bool) -> Self:
        """Create an alarm: "the alarm state is immediately set to INSUFFICIENT_DATA"."""
        state = State(StateValue.INSUFFICIENT_DATA, reasons.CREATED, None, now, now)
        return cls(parameters["AlarmName"], arn, composite, parameters, now, state)

    def dump(self) -> dict[str, Any]:
        """Return the alarm as plain data for a snapshot."""
        return asdict(self)

    @classmethod
    def load(cls, data: dict[str, Any]) -> Self:
        state = data.pop("state")
        return cls(state=State(StateValue(state.pop("value")), **state), **data)
