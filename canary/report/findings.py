"""Parts of a finding in the report: interval bar, size, progress to both decision lines."""

from __future__ import annotations

import math
from dataclasses import dataclass

from canary.formatting import plural
from canary.model import Finding, Judgement, Verdict
from canary.report.wording import change, effect_words, has_interval

SAID = {Verdict.FAIL: "FAIL", Verdict.PASS: "within margin", Verdict.INCONCLUSIVE: "undecided"}


@dataclass(frozen=True, slots=True)
class Bar:
    """An interval bar, from half a margin of benefit to twice the margin of harm.

    Places are per cent from the left. ``open_left`` and ``open_right``: the interval continues
    beyond the bar.
    """

    zero: float
    margin: float | None
    left: float
    width: float
    middle: float
    open_left: bool
    open_right: bool


def bar(finding: Finding) -> Bar | None:
    """Return the interval bar of a finding, if it has an effect and an interval."""
    effect, low, high = finding.effect, finding.low, finding.high
    if effect is None or low is None or high is None or math.isnan(effect + low + high):
        return None
    scale = finding.margin or max(abs(low), abs(high)) or 1.0
    worst = min(max(2.0 * scale, 1.15 * effect), 1e3 * scale)
    best = min(-scale, max(1.15 * effect, -1e3 * scale))

    def place(value: float) -> float:
        return round(100 * (min(max(value, best), worst) - best) / (worst - best), 2)

    left = place(low)
    return Bar(
        zero=place(0.0),
        margin=None if finding.margin is None else place(finding.margin),
        left=left,
        width=max(round(place(high) - left, 2), 0.6),
        middle=place(effect),
        open_left=low < best,
        open_right=high > worst,
    )


def size(finding: Finding) -> str:
    """Return the effect with its interval, or "no data"."""
    words = effect_words(finding)
    if finding.low is None or finding.high is None or not has_interval(finding):
        return words
    return f"{words} ({change(finding, finding.low)} to {change(finding, finding.high)})"


def share(progress: float) -> int:
    """Return the progress to a decision line in whole per cent; 100 only if it is reached."""
    return min(max(math.floor(100 * progress + 1e-9), 0), 100)


def tally(judgement: Judgement) -> str:
    """Return how many metrics fail, pass or are undecided.

    >>> tally(Judgement(0, Verdict.PASS, "", (Finding("cpu", Verdict.PASS, "", True),)))
    '1 within margin'
    """
    counted = [finding for finding in judgement.findings if not finding.muted]
    groups = [(sum(f.verdict is verdict for f in counted), SAID[verdict]) for verdict in SAID]
    words = [f"{count} {said}" for count, said in groups if count]
    muted = len(judgement.findings) - len(counted)
    if muted:
        words.append(f"{muted} muted")
    return ", ".join(words) or plural(0, "metric")
