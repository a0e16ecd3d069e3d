"""Numbers and times as a reader says them: "+12 %", "4 min", "03:46:59". Always UTC."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from canary.model import Finding, Verdict

MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"
RANK = {Verdict.FAIL: 0, Verdict.INCONCLUSIVE: 1, Verdict.PASS: 2}


def number(value: float, *, signed: bool = False) -> str:
    """Three significant digits, without exponent where a person would not write one."""
    if not math.isfinite(value):
        return "unbounded"
    digits = f"{abs(value):.3g}" if abs(value) < 1000 else f"{abs(value):.0f}"
    if "e" in digits and abs(value) >= 1e-6:
        digits = f"{abs(value):.8f}".rstrip("0").rstrip(".")
    return _sign(value, digits, signed=signed) + digits


def percent(share: float, *, signed: bool = False) -> str:
    """A share as per cent, with the digits that matter and a space that does not break."""
    if not math.isfinite(share):
        return "unbounded"
    value = 100 * share
    digits = f"{abs(value):.0f}" if abs(value) >= 9.95 else f"{abs(value):.1f}".removesuffix(".0")
    return f"{_sign(value, digits, signed=signed)}{digits}{SPACE}%"


def _sign(value: float, digits: str, *, signed: bool) -> str:
    """What stands before the digits; nothing before a zero, however it was rounded."""
    if float(digits) == 0:
        return ""
    return MINUS if value < 0 else "+" if signed else ""


def change(finding: Finding, value: float) -> str:
    """An effect of this finding, on its own scale: relative changes as per cent."""
    return percent(value, signed=True) if finding.relative else number(value, signed=True)


def duration(seconds: float) -> str:
    """A length of time in the unit a person would choose.

    >>> duration(45), duration(90), duration(600), duration(5400)
    ('45 s', '1 min 30 s', '10 min', '1 h 30 min')
    """
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    if rest and not hours:
        parts.append(f"{rest} s")
    return " ".join(parts) or "0 s"


def together(sentence: str) -> str:
    """A sentence in which no line ends between a number and its per cent sign."""
    return sentence.replace(" %", f"{SPACE}%")


def clock(time: int) -> str:
    """The time of day of an epoch second, UTC."""
    return datetime.fromtimestamp(time, tz=UTC).strftime("%H:%M:%S")


def moment(time: int) -> str:
    """The date and time of an epoch second, UTC."""
    return datetime.fromtimestamp(time, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "metric"), plural(3, "metric")
    ('1 metric', '3 metrics')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def urgency(finding: Finding) -> tuple[bool, int, bool, float, str]:
    """Sorting key: what decides the verdict comes first, muted metrics last."""
    undecided = -max(finding.towards_fail, 1 - finding.towards_pass)
    return finding.muted, RANK[finding.verdict], not finding.critical, undecided, finding.metric
