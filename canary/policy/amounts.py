"""Amounts in a metric's unit: what is negligible, such as 6ms, 16MB or 2 points."""

from __future__ import annotations

import math
import re
from typing import Any, Literal

Unit = Literal["ns", "us", "ms", "s", "%", "bytes", "KB", "MB", "GB"]

_SIZES = {
    "time": {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0},
    "memory": {"bytes": 1.0, "KB": 1e3, "MB": 1e6, "GB": 1e9},
    "share": {"%": 1.0, "points": 1.0, "point": 1.0},
}
_NEGLIGIBLE = {"time": 0.006, "memory": 16e6, "share": 2.0}
"""Extra time, memory and points of a utilisation that no user notices: in s, bytes and points."""
_AMOUNT = re.compile(r"^([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z%]*)$")


def family_of(unit: str) -> str:
    """Return what a unit measures, or an empty string."""
    return next((family for family, sizes in _SIZES.items() if unit in sizes), "")


def negligible_by_default(unit: str) -> float:
    """Return the amount, in ``unit``, up to which more is accepted; 0 if the unit is not known."""
    family = family_of(unit)
    return _NEGLIGIBLE[family] / _SIZES[family][unit] if family else 0.0


def parse_amount(value: Any, unit: str) -> float:
    """Return an amount in ``unit``: a number, or a number with a unit of the same family.

    >>> parse_amount("6ms", "s"), parse_amount(3, ""), parse_amount("2 points", "%")
    (0.006, 3.0, 2.0)
    """
    match = _AMOUNT.match(str(value).strip())
    if match is None or isinstance(value, bool):
        raise ValueError(f"{value!r} is not an amount; write 6ms, 16MB, 2 points or a number")
    number, own = float(match[1]), match[2]
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not finite")
    if not own:
        return number
    family = family_of(own)
    if not family or not unit or family != family_of(unit):
        known = f"the metric's unit is {unit}" if unit else "the metric has no unit"
        raise ValueError(f"{value!r} has a unit, but {known}; write for example unit: ms")
    return number * _SIZES[family][own] / _SIZES[family][unit]
