"""Dashboards and validation: API reference, "Dashboard Body Structure and Syntax".

An error rejects the dashboard. A widget that merely cannot be drawn gives a warning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from threading import RLock
from typing import Any, Self

from local_cloud.cloudwatch.errors import (
    DashboardInvalidInputError,
    InvalidParameterValueError,
    ResourceNotFoundError,
)
from local_cloud.cloudwatch.store import Clock

NAME = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
KINDS = ("metric", "text", "log", "alarm", "explorer", "custom")
MOST_WIDGETS = 500
WIDEST, TALLEST = 24, 1000
# required properties of each kind of widget
NEEDED = {"text": "markdown", "log": "query", "alarm": "alarms"}

Fault = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Dashboard:
    name: str
    body: str
    modified: float

    def dump(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def load(cls, data: dict[str, Any]) -> Self:
        return cls(**data)


class Dashboards:
    """The dashboards of one account, by name: "All dashboards [...] are global"."""

    def __init__(self, account: str, clock: Clock) -> None:
        self._account = account
        self._clock = clock
        self._dashboards: dict[str, Dashboard] = {}
        self._lock = RLock()

    def arn(self, name: str) -> str:
        return f"arn:aws:cloudwatch::{self._account}:dashboard/{name}"

    def put(self, name: str, body: str) -> list[Fault]:
        """Store a dashboard and return the warnings.

        Raises:
            DashboardInvalidInputError: with all errors in the body.
        """
        if not NAME.fullmatch(name):
            raise InvalidParameterValueError(
                f"The value {name} for field DashboardName contains invalid characters. "
                "It can only contain alphanumerics, dash (-) and underscore (_)."
            )
        faults, warnings = check(body)
        if faults:
            raise DashboardInvalidInputError(
                f"The dashboard body is invalid, there are {len(faults)} validation errors: "
                f"{json.dumps([{'dataPath': path, 'message': text} for path, text in faults])}",
                tuple(faults),
            )
        with self._lock:
            self._dashboards[name] = Dashboard(name, body, self._clock())
        return warnings

    def get(self, name: str) -> Dashboard:
        with self._lock:
            if name not in self._dashboards:
                raise ResourceNotFoundError(f"Dashboard {name} does not exist")
            return self._dashboards[name]

    def all(self, prefix: str = "") -> list[Dashboard]:
        with self._lock:
            names = sorted(name for name in self._dashboards if name.startswith(prefix))
            return [self._dashboards[name] for name in names]

    def delete(self, names: Iterable[str]) -> None:
        """Delete the existing dashboards, then report the unknown names."""
        with self._lock:
            unknown = [name for name in names if self._dashboards.pop(name, None) is None]
        if unknown:
            raise ResourceNotFoundError(f"Dashboards that do not exist: {', '.join(unknown)}")

    def load(self, dashboards: Iterable[Dashboard]) -> None:
        with self._lock:
            self._dashboards = {each.name: each for each in dashboards}


def check(body: str) -> tuple[list[Fault], list[Fault]]:
    """Return the errors and the warnings of a body."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return [("/", "The field DashboardBody must be a valid JSON object")], []
    if not isinstance(parsed, dict):
        return [("/", "The field DashboardBody must be a valid JSON object")], []
    widgets = parsed.get("widgets")
    if not isinstance(widgets, list):
        return [("/widgets", "The dashboard must have an array of widgets")], []
    if len(widgets) > MOST_WIDGETS:
        return [("/widgets", f"A dashboard can have at most {MOST_WIDGETS} widgets")], []
    faults = [
        fault for n, widget in enumerate(widgets) for fault in _faults(f"/widgets/{n}", widget)
    ]
    warnings = [w for n, widget in enumerate(widgets) for w in _warnings(f"/widgets/{n}", widget)]
    return faults, warnings


def _faults(path: str, widget: Any) -> Iterator[Fault]:
    if not isinstance(widget, dict):
        yield path, "Should be an object"
        return
    if widget.get("type") not in KINDS:
        yield f"{path}/type", f"Should be one of {', '.join(KINDS)}"
    for name, largest in (("width", WIDEST), ("height", TALLEST), ("x", WIDEST - 1), ("y", None)):
        yield from _size_faults(
            f"{path}/{name}", widget.get(name), largest, 0 if name in "xy" else 1
        )
    properties = widget.get("properties")
    if not isinstance(properties, dict):
        yield f"{path}/properties", "Should have required property 'properties'"
    else:
        yield from _property_faults(f"{path}/properties", str(widget.get("type")), properties)


def _size_faults(path: str, value: Any, largest: int | None, smallest: int) -> Iterator[Fault]:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        yield path, "Should be integer"
    elif value < smallest or (largest is not None and value > largest):
        yield path, f"Should be {smallest} to {largest if largest is not None else 'any number'}"


def _property_faults(path: str, kind: str, properties: Mapping[str, Any]) -> Iterator[Fault]:
    needed = NEEDED.get(kind)
    if needed is not None and not properties.get(needed):
        yield f"{path}/{needed}", f"Should have required property '{needed}'"
    if kind != "metric":
        return
    if not properties.get("metrics") and not _alarm_annotations(properties):
        yield path, "Should have required property 'metrics' or alarm annotations"
    metrics = properties.get("metrics") or []
    if not isinstance(metrics, list):
        yield f"{path}/metrics", "Should be an array"
        return
    for n, metric in enumerate(metrics):
        if not isinstance(metric, list) or not metric:
            yield f"{path}/metrics/{n}", "Should be an array that is not empty"
    yield from _mark_faults(f"{path}/annotations/vertical", properties)
    if properties.get("view") not in (
        None,
        "timeSeries",
        "singleValue",
        "bar",
        "pie",
        "table",
        "gauge",
    ):
        yield f"{path}/view", "Should be timeSeries, singleValue, bar, pie, table or gauge"


def _mark_faults(path: str, properties: Mapping[str, Any]) -> Iterator[Fault]:
    """Check vertical annotations: one time each, or two times with shading between them."""
    annotations = properties.get("annotations")
    marks = annotations.get("vertical", []) if isinstance(annotations, dict) else []
    if not isinstance(marks, list):
        yield path, "Should be an array"
        return
    for n, mark in enumerate(marks):
        for end in mark if isinstance(mark, list) else [mark]:
            if not isinstance(end, dict) or not MOMENT.fullmatch(str(end.get("value"))):
                yield f"{path}/{n}/value", "Should be a time in ISO 8601"


def _alarm_annotations(properties: Mapping[str, Any]) -> bool:
    annotations = properties.get("annotations")
    return isinstance(annotations, dict) and bool(annotations.get("alarms"))


def _warnings(path: str, widget: Any) -> Iterator[Fault]:
    properties = widget.get("properties") if isinstance(widget, dict) else None
    if not isinstance(properties, dict) or widget.get("type") != "metric":
        return
    if not properties.get("region"):
        yield f"{path}/properties/region", "Should have required property 'region'"
    for name in properties.keys() - KNOWN:
        yield f"{path}/properties/{name}", "Should NOT have additional properties"


KNOWN = frozenset(
    (
        *("accountId", "annotations", "color", "end", "legend", "liveData", "metrics", "period"),
        *(
            "region",
            "renderingMode",
            "setPeriodToTimeRange",
            "singleValueFullPrecision",
            "sparkline",
        ),
        *("stacked", "start", "stat", "table", "timezone", "title", "trend", "view", "yAxis"),
    )
)
