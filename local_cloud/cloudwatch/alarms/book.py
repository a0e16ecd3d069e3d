"""The alarms of one account and region, with their states."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from threading import RLock
from typing import Any

from local_cloud.cloudwatch.alarms import messages, rule
from local_cloud.cloudwatch.alarms.condition import StateValue
from local_cloud.cloudwatch.alarms.definition import (
    Parameters,
    check_composite_alarm,
    check_metric_alarm,
)
from local_cloud.cloudwatch.alarms.history import History
from local_cloud.cloudwatch.alarms.state import Alarm, State
from local_cloud.cloudwatch.errors import ResourceNotFoundError, ValidationError
from local_cloud.cloudwatch.store import Clock

# Publish to a topic (ARN, subject, message); raises an error if that fails.
Publish = Callable[[str, str, str], None]

ACTIONS_OF = {
    StateValue.OK: "OKActions",
    StateValue.ALARM: "AlarmActions",
    StateValue.INSUFFICIENT_DATA: "InsufficientDataActions",
}
NOT_KEPT = ("Tags",)


class AlarmBook:
    """The alarms, thread-safe. Messages are sent without the lock: a subscriber may call back."""

    def __init__(self, account: str, region: str, clock: Clock, publish: Publish) -> None:
        self.account = account
        self.region = region
        self.clock = clock
        self.history = History()
        self.lock = RLock()
        self._publish = publish
        self._alarms: dict[str, Alarm] = {}

    def all(self) -> list[Alarm]:
        """Return every alarm, by name."""
        with self.lock:
            return [self._alarms[name] for name in sorted(self._alarms)]

    def find(self, name: str) -> Alarm | None:
        with self.lock:
            return self._alarms.get(name)

    def get(self, name: str) -> Alarm:
        """Return an alarm.

        Raises:
            ResourceNotFoundError: no alarm has this name.
        """
        alarm = self.find(name)
        if alarm is None:
            raise ResourceNotFoundError(f"Alarm {name} does not exist.")
        return alarm

    def put_metric_alarm(self, parameters: Parameters) -> None:
        check_metric_alarm(parameters)
        self._put(parameters, composite=False)

    def put_composite_alarm(self, parameters: Parameters) -> None:
        with self.lock:
            children = check_composite_alarm(parameters).children
            unknown = [name for name in children if name not in self._alarms]
            if unknown:
                raise ValidationError(
                    f"AlarmRule refers to alarms that do not exist: {', '.join(unknown)}."
                )
            self._put(parameters, composite=True)

    def _put(self, given: Parameters, *, composite: bool) -> None:
        """Create or overwrite an alarm. An existing alarm keeps its state: "left unchanged"."""
        parameters = {name: value for name, value in given.items() if name not in NOT_KEPT}
        if not composite:
            parameters["Threshold"] = float(parameters["Threshold"])
        name, now = given["AlarmName"], self.clock()
        with self.lock:
            alarm = self._alarms.get(name)
            if alarm is not None and alarm.composite != composite:
                kind = "composite" if alarm.composite else "metric"
                raise ValidationError(f"Alarm {name} exists already, as a {kind} alarm.")
            if alarm is None:
                alarm = Alarm.new(self._arn(name), parameters, now, composite=composite)
                alarm.tags = {each["Key"]: each["Value"] for each in given.get("Tags") or ()}
                self._alarms[name] = alarm
                self.history.configured(alarm, "created", now)
                return
            alarm.parameters, alarm.updated = parameters, now
            alarm.evaluated_until, alarm.children_seen = 0, None
            self.history.configured(alarm, "updated", now)

    def _arn(self, name: str) -> str:
        return f"arn:aws:cloudwatch:{self.region}:{self.account}:alarm:{name}"

    def delete(self, names: Sequence[str]) -> None:
        """Delete the known alarms, then report the unknown names."""
        with self.lock:
            self._refuse_if_needed(names)
            unknown = [name for name in names if name not in self._alarms]
            for name in names:
                alarm = self._alarms.pop(name, None)
                if alarm is not None:
                    self.history.configured(alarm, "deleted", self.clock())
        if unknown:
            raise ResourceNotFoundError(f"Alarms that do not exist: {', '.join(unknown)}.")

    def _refuse_if_needed(self, names: Sequence[str]) -> None:
        for alarm in self._alarms.values():
            if not alarm.composite or alarm.name in names:
                continue
            needed = sorted(set(names) & set(rule.parse(alarm.parameters["AlarmRule"]).children))
            if needed:
                raise ValidationError(
                    f"Cannot delete {needed[0]} as there are composite alarm(s) depending on it: "
                    f"{alarm.name}."
                )

    def enable_actions(self, names: Iterable[str], *, enabled: bool) -> None:
        with self.lock:
            for alarm in [self.get(name) for name in names]:
                alarm.parameters = {**alarm.parameters, "ActionsEnabled": enabled}
                self.history.configured(alarm, "updated", self.clock())

    def set_state(
        self, alarm: Alarm, value: StateValue, reason: str, reason_data: str | None = None
    ) -> None:
        """Set the state of an alarm. If the state changes, run its actions."""
        now = self.clock()
        with self.lock:
            old = alarm.state
            changed = old.value is not value
            alarm.state = State(
                value, reason, reason_data, now, now if changed else old.transitioned
            )
            if not changed:
                return
            self.history.changed(alarm, old)
            told = replace(alarm)
        self._act(told, old.value)

    def _act(self, alarm: Alarm, old: StateValue) -> None:
        if alarm.parameters.get("ActionsEnabled") is False:
            return
        subject = messages.subject(alarm, self.region)
        body = messages.message(alarm, old, account=self.account, region=self.region)
        for action in alarm.parameters.get(ACTIONS_OF[alarm.state.value]) or ():
            error = self._tell(action, subject, body)
            self.history.acted(alarm, action, body, error, self.clock())

    def _tell(self, action: str, subject: str, body: str) -> str | None:
        """Publish to one topic. Return the error, so that the other actions still run."""
        if ":sns:" not in action:
            return "the local cloud carries out actions of SNS topics only"
        try:
            self._publish(action, subject, body)
        except Exception as error:
            return str(error) or type(error).__name__
        return None

    def load(self, alarms: Iterable[Alarm]) -> None:
        with self.lock:
            self._alarms = {alarm.name: alarm for alarm in alarms}

    def dump(self) -> list[dict[str, Any]]:
        with self.lock:
            return [alarm.dump() for alarm in self._alarms.values()]
