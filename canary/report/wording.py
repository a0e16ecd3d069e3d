"""Effects and times in the report. Times are UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from canary.formatting import number, percent
from canary.model import Finding, Verdict

SPACE = "\N{NO-BREAK SPACE}"
UNIT = re.compile(r"(?<=\d) (?=%|(?:s|min|h)\b)")
TIMES = 100.0
"""From this relative change on, "1,000 times" says more than a percentage."""
RANK = {Verdict.FAIL: 0, Verdict.INCONCLUSIVE: 1, Verdict.PASS: 2}


def change(finding: Finding, value: float) -> str:
    """Return an effect on the finding's scale: a relative change as a percentage."""
    if finding.relative and value > TIMES:
        return f"{number(value + 1)} times"
    return percent(value, signed=True) if finding.relative else number(value, signed=True)


def effect_words(finding: Finding) -> str:
    """Return the effect of a finding; as both counts where the baseline has none to divide by."""
    if finding.effect is None:
        return "no data"
    return _of_none(finding) or change(finding, finding.effect)


def has_interval(finding: Finding) -> bool:
    """Return whether a finding has an interval that says something."""
    return finding.low is not None and finding.high is not None and not _of_none(finding)


def _of_none(finding: Finding) -> str:
    """Return "140 against 0" where only the candidate has events, or an empty string."""
    prefix = "acute_" if "acute_periods" in finding.details else ""
    own = finding.details.get(f"{prefix}candidate_events", 0.0)
    if own <= 0 or finding.details.get(f"{prefix}baseline_events", 1.0) > 0:
        return ""
    return f"{number(own)} against 0"


def unbroken(text: str) -> str:
    """Return a text in which no line breaks between a number and its unit."""
    return UNIT.sub(SPACE, text)


def clock(time: int) -> str:
    """Return the time of day of an epoch second, in UTC."""
    return datetime.fromtimestamp(time, tz=UTC).strftime("%H:%M:%S")


def moment(time: int) -> str:
    """Return the date and time of an epoch second, in UTC."""
    return datetime.fromtimestamp(time, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def urgency(finding: Finding) -> tuple[bool, int, bool, float, str]:
    """Return a sorting key: what decides the verdict first, muted metrics last."""
    undecided = -max(finding.towards_fail, 1 - finding.towards_pass)
    return finding.muted, RANK[finding.verdict], not finding.critical, undecided, finding.metric
