"""A CSV file, read row by row: any quoting, and a sentence about the line that is wrong."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TextIO

from canary.errors import SourceError
from canary.formatting import minute
from canary.model import Arm
from canary.reading import open_file

BATCH = 50_000
LATEST = 4_102_444_800
"""2100-01-01. A greater number is a time in another unit, or a mistake."""
MOST_ROUNDED = 7
"""A time with an exponent and fewer digits than this after the point has been rounded."""
SPREADSHEET = (40_000, 80_000)
"""Days since 1900, from 2009 to 2119."""
UNITS = {"milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
OTHER_NAMES = dict.fromkeys(("control", "stable", "primary", "old"), "baseline") | dict.fromkeys(
    ("canary", "experiment", "new"), "candidate"
)
"""What other programs call the arms."""

Row = tuple[str, str, str, str, float, float, float]
"""Time, arm, instance, metric, value, samples, spread; NaN where nothing was measured."""


def header_of(path: Path) -> list[str]:
    """Return the names of the columns."""
    with opened(path) as file:
        return next(csv.reader(file), [])


def opened(path: Path) -> TextIO:
    """Open the file; Excel writes a mark at its start, which is no part of it."""
    return io.TextIOWrapper(open_file(path), newline="", encoding="utf-8-sig")


def rows_of(path: Path, order: Sequence[int | None]) -> Iterator[list[Row]]:
    """Return the rows in batches; ``order`` is the place of each column, None if it is not there.

    Raises:
        SourceError: a row is wrong.
    """
    with opened(path) as file:
        reader = csv.reader(file)
        width = len(next(reader))
        checked = (
            _row(row, order, width, f"{path}, line {reader.line_num}") for row in reader if row
        )
        while batch := list(itertools.islice(checked, BATCH)):
            yield batch


def _row(row: list[str], order: Sequence[int | None], width: int, where: str) -> Row:
    if len(row) != width:
        raise SourceError(f"{where}: the number of fields differs from the header's")
    time, arm, instance, metric, *numbers = ("" if at is None else row[at] for at in order)
    if arm not in list(Arm):
        plain = arm.strip().lower()
        meant = plain if plain in list(Arm) else OTHER_NAMES.get(plain, "")
        hint = f". Write {meant} instead" if meant else ""
        raise SourceError(f"{where}: arm is {arm!r}; allowed are baseline, candidate{hint}")
    for name, text in (("instance", instance), ("metric", metric)):
        if not text:
            raise SourceError(f"{where}: {name} is empty; any name does, the same in each period")
    time_of(time, where)
    value, samples, spread = (_number(text, where) for text in numbers)
    for number in (samples, spread):
        if math.isinf(number):
            raise SourceError(f"{where}: {number} is not finite; leave it empty if unknown")
    return time, arm, instance, metric, value, samples, spread


def time_of(text: str, where: str) -> int:
    """Return the seconds since the epoch that a time means.

    Raises:
        SourceError: it is no time, or one that cannot be meant.
    """
    try:
        moment = float(text)
    except ValueError:
        moment = _iso(text, where)
    if _rounded(text):
        raise SourceError(
            f"{where}: time is {text!r}, which lacks digits; the program that wrote it rounds "
            "large numbers. Write all ten digits"
        )
    if not math.isfinite(moment) or moment != int(moment):
        raise SourceError(f"{where}: time is {text!r}; whole seconds are needed{_serial(moment)}")
    if not 0 < moment < LATEST:
        raise SourceError(
            f"{where}: time is {text!r}, which is not between 1970 and 2100; write seconds since "
            f"the epoch, not milliseconds{_meant(moment)}"
        )
    return int(moment)


def _rounded(text: str) -> bool:
    """Return whether a time such as 1.795e+09 was rounded to too few digits."""
    mantissa, mark, exponent = text.strip().lower().partition("e")
    digits = mantissa.partition(".")[2]
    return bool(mark) and exponent.lstrip("+") in ("9", "09") and len(digits) < MOST_ROUNDED


def _serial(moment: float) -> str:
    """Return how to write a date that a spreadsheet gives as a number of days since 1900."""
    if not SPREADSHEET[0] < moment < SPREADSHEET[1]:
        return ""
    return " (a date of a spreadsheet? Write it as text, such as 2026-11-20T10:00:00Z)"


def _as_number(text: str) -> str:
    """Return how to write a number that has a comma, a unit or a sign beside its digits."""
    if not any(mark.isdigit() for mark in text):
        return ""
    return " (write digits and a point only: no separator between thousands, no unit, no %)"


def _iso(text: str, where: str) -> float:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        utc = text.upper().endswith(" UTC")
        example = f", such as {text[:-4].replace(' ', 'T')}Z" if utc else ""
        raise SourceError(
            f"{where}: time is {text!r}; write seconds since the epoch or ISO 8601{example}"
        ) from None
    if parsed.tzinfo is None:
        raise SourceError(
            f"{where}: time {text!r} names no time zone; write for example {text}Z"
        ) from None
    return parsed.timestamp()


def _meant(moment: float) -> str:
    for unit, factor in UNITS.items():
        if LATEST / 4 < moment / factor < LATEST:
            return f" (as {unit} it is {minute(int(moment / factor))})"
    return ""


def _number(text: str, where: str) -> float:
    if text.strip() == "":
        return math.nan
    try:
        number = float(text)
    except ValueError:
        raise SourceError(
            f"{where}: {text!r} is not a number{_as_number(text)}; leave it empty if unknown"
        ) from None
    if math.isnan(number):
        raise SourceError(f"{where}: {text!r} is not finite; leave it empty if unknown")
    return number
