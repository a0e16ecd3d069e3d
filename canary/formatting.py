"""Numbers, shares and durations as text, for every sentence, table and plot."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

MINUS = "\N{MINUS SIGN}"
SMALLEST = 1e-6
"""A number below this is written as 0."""
LARGEST_PERCENT = 1e6
"""The ends of an interval after two periods can lie beyond; they say nothing then."""

WIDE_MARGINS, WIDE = 10.0, 3.0
"""A harm beyond both, in margins and as a change, shows only that there are few data."""
UNKNOWN = "not known yet"
"""In the place of an interval that says nothing."""

_USER = re.compile(r"(?<=://)[^\s'\"]*@")


def without_password(text: str) -> str:
    """Return a text with the addresses in it, but without their user names and passwords.

    >>> without_password("see https://me:s3cret@example.org:9090/x")
    'see https://example.org:9090/x'
    """
    return _USER.sub("", text)


def number(value: float, *, signed: bool = False) -> str:
    """Return a number with three significant digits.

    >>> number(1234.5), number(12.34), number(0.01234), number(-3)
    ('1,234', '12.3', '0.0123', '−3')
    """  # noqa: RUF002 - a minus sign, as in the text
    size = abs(value)
    digits = _whole(size) if size >= 999.5 else _plain(size, 3)
    return _signed(value, digits, signed=signed)


def percent(share: float, *, signed: bool = False) -> str:
    """Return a share as a percentage with two significant digits.

    >>> percent(0.1234), percent(0.0423), percent(1.5), percent(0.02, signed=True)
    ('12 %', '4.2 %', '150 %', '+2 %')
    """
    size = abs(100 * share)
    if size >= LARGEST_PERCENT:
        return "unbounded"
    digits = _whole(size) if size >= 9.95 else _plain(size, 2)
    text = _signed(share, digits, signed=signed)
    return f"{text} %" if math.isfinite(share) else text


def points(value: float) -> str:
    """Return a size in points.

    >>> points(1), points(2.5)
    ('1 point', '2.5 points')
    """
    size = number(value)
    return f"{size} point" if size == "1" else f"{size} points"


def quantity(size: float, unit: str) -> str:
    """Return an amount with its unit; a part of a second in milliseconds.

    >>> quantity(6, "ms"), quantity(0.006, "s"), quantity(2, "s"), quantity(3, "")
    ('6 ms', '6 ms', '2 s', '3')
    """
    if unit == "s" and size < 1:
        size, unit = size * 1000, "ms"
    return f"{number(size)} {unit}".rstrip()


def is_wide(harm: float, margin: float) -> bool:
    """Return whether a harm that is not ruled out, or not found, is too large to be of use.

    >>> is_wide(0.6, 0.05), is_wide(11.93, 0.5)
    (False, True)
    """
    return harm > max(WIDE_MARGINS * margin, WIDE)


def says_nothing(low: float, high: float, margin: float) -> bool:
    """Return whether an interval is too wide to be shown.

    >>> says_nothing(-0.3, 0.6, 0.05), says_nothing(-0.99, 11.93, 0.5), says_nothing(2, 40, 0.5)
    (False, True, False)
    """
    return low < 0 < high and is_wide(high - low, margin)


def duration(seconds: float) -> str:
    """Return a length of time.

    >>> duration(45), duration(60), duration(90), duration(150), duration(5400)
    ('45 s', '1 min', '90 s', '2 min 30 s', '1 h 30 min')
    """
    whole = round(seconds)
    if whole < 120 and whole != 60:
        return f"{whole} s"
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    if rest and not hours:
        parts.append(f"{rest} s")
    return " ".join(parts)


def minute(time: int) -> str:
    """Return the date and minute of an epoch second, in UTC.

    >>> minute(1795168800)
    '2026-11-20 10:00'
    """
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M")


def plural(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> plural(1, "metric"), plural(3, "metric")
    ('1 metric', '3 metrics')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(names: list[str]) -> str:
    """Return names as a list in a sentence.

    >>> listed(["latency"]), listed(["latency", "errors", "cpu"])
    ('latency', 'latency, errors and cpu')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _whole(size: float) -> str:
    return f"{size:,.0f}" if math.isfinite(size) else "unbounded"


def _plain(size: float, digits: int) -> str:
    """Return a size below 1,000 without an exponent."""
    if math.isnan(size):
        return "unknown"
    if size < SMALLEST:
        return "0"
    text = f"{size:.{digits}g}"
    return f"{size:.8f}".rstrip("0").rstrip(".") if "e" in text else text


def _signed(value: float, digits: str, *, signed: bool) -> str:
    if digits in ("0", "unbounded", "unknown"):
        return digits
    return (MINUS if value < 0 else "+" if signed else "") + digits
