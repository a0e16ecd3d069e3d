"""Durations, shares, margins and drifts in a policy file."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

LONGEST = 40
"""Characters of a wrong value that an error shows."""
YEAR = 366 * 86_400
Scale = Literal["relative", "points"]

Number = TypeVar("Number", int, float)
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_PART = re.compile(rf"({_NUMBER})\s*(s|min|m|h|d)")
_PERCENT = re.compile(rf"^({_NUMBER})\s*%$")
_POINTS = re.compile(rf"^({_NUMBER})\s*points?$")
_RATIO = re.compile(rf"^(?:x\s*({_NUMBER})|({_NUMBER})\s*x)$")


@dataclass(frozen=True, slots=True)
class Margin:
    """Accepted harm: a relative change (0.05 is 5 %), or points of the metric's unit."""

    value: float
    scale: Scale = "relative"

    def __str__(self) -> str:
        """Write it as a policy file does."""
        return f"{self.value:.12g} points" if self.scale == "points" else percent(self.value)


@dataclass(frozen=True, slots=True)
class Drift:
    """How much faster than the baseline a level may grow, per minute."""

    value: float
    scale: Scale = "relative"

    def __str__(self) -> str:
        """Write it as a policy file does."""
        return f"{Margin(self.value, self.scale)} per minute"


def percent(share: float) -> str:
    """Write a fraction as a percentage: 0.05 is ``5%``."""
    return f"{share * 100:.12g}%"


def parse_duration(value: Any) -> int:
    """Return whole seconds of ``90``, ``90s``, ``5m``, ``1h30m``."""
    if isinstance(value, int) and not isinstance(value, bool):
        return _at_most_a_year(value)
    text = str(value).replace(" ", "")
    parts = _PART.findall(text)
    if not parts or "".join(a + b for a, b in parts) != text:
        raise ValueError(f"{value!r} is not a duration; write 90s, 5m or 1h30m")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    _at_most_a_year(seconds)
    if seconds != int(seconds):
        raise ValueError(f"{value!r} is not a whole number of seconds")
    return int(seconds)


def _at_most_a_year(seconds: Number) -> Number:
    if seconds > YEAR:
        raise ValueError(f"{str(seconds)[:LONGEST]} s is longer than a year")
    return seconds


def parse_share(value: Any) -> float:
    """Return the fraction that ``5%`` or ``0.05`` means."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 <= value <= 1:
            meant = f"{value:g}%" if 1 < value <= 100 else "5%"
            raise ValueError(
                f"{str(value)[:LONGEST]} is not a share; write {meant} or a fraction from 0 to 1"
            )
        return float(value)
    match = _PERCENT.match(str(value).strip())
    if not match or float(match[1]) > 100:
        raise ValueError(f"{value!r} is not a share; write 5% or 0.05")
    return float(match[1]) / 100


def parse_margin(value: Any) -> Margin:
    """Return what ``5%``, ``4 points`` or ``x1.5`` means."""
    if isinstance(value, Margin):
        return value
    text = str(value).strip()
    if match := _POINTS.match(text):
        margin = Margin(float(match[1]), "points")
    elif match := _RATIO.match(text):
        margin = Margin(abs(float(match[1] or match[2]) - 1))
    elif match := _PERCENT.match(text):
        margin = Margin(float(match[1]) / 100)
    else:
        raise ValueError(
            f"{value!r} is not a margin; write 5% (relative), 4 points (in the metric's unit) "
            "or x1.5 (a ratio)"
        )
    if not 0 < margin.value < math.inf:
        raise ValueError(f"{value!r} allows no change at all; a margin must be above 0")
    return margin


def parse_drift(value: Any) -> Drift:
    """Return what ``0.1 points per minute`` or ``2% per hour`` means, per minute."""
    if isinstance(value, Drift):
        return value
    amount, _, unit = str(value).replace("/", " per ").partition(" per ")
    per_minute = {"minute": 1, "min": 1, "m": 1, "hour": 60, "h": 60}.get(unit.strip())
    if per_minute is None:
        raise ValueError(f"{value!r} is not a drift; write 0.1 points per minute or 2% per hour")
    margin = parse_margin(amount)
    return Drift(margin.value / per_minute, margin.scale)


def _schema(description: str, *examples: object) -> WithJsonSchema:
    return WithJsonSchema(
        {"type": ["string", "number"], "description": description, "examples": list(examples)}
    )


def _text(value: object) -> str:
    return str(value)


Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    _schema("A duration: 90s, 5m, 1h30m, or seconds.", "90s", "5m"),
]


def _percent_or_number(value: Any) -> Any:
    text = str(value).strip()
    return float(text[:-1]) / 100 if _PERCENT.match(text) else value


Limit = Annotated[
    float,
    BeforeValidator(_percent_or_number),
    _schema("A limit: in the metric's unit, or for counts a share.", 250, "2%"),
]
Share = Annotated[
    float,
    BeforeValidator(parse_share),
    _schema("A share: 5% or 0.05.", "5%", 0.05),
]
MarginField = Annotated[
    Margin,
    BeforeValidator(parse_margin),
    PlainSerializer(_text),
    WithJsonSchema(
        {
            "type": "string",
            "description": "Accepted harm: 5%, 4 points (in the metric's unit), or x1.5.",
            "examples": ["5%", "4 points", "x1.5"],
        }
    ),
]
DriftField = Annotated[
    Drift,
    BeforeValidator(parse_drift),
    PlainSerializer(_text),
    WithJsonSchema(
        {
            "type": "string",
            "description": "Accepted growth: 0.1 points per minute, or 2% per hour.",
            "examples": ["0.1 points per minute", "2% per hour"],
        }
    ),
]
