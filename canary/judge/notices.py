"""Sentences: why a metric fails at once, why PASS is withheld, and what the judge waits for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from canary.formatting import duration, number, percent
from canary.judge.wording import allowed_words, directions, headline, size_words
from canary.model import Finding, Recording
from canary.policy import Metric

Numbers = Mapping[str, float]


def is_acute(numbers: Numbers) -> bool:
    """Return whether a finding's details describe a catastrophe."""
    return "acute_periods" in numbers


def acute_sentence(metric: Metric, numbers: Numbers, after: str) -> str:
    """Return the sentence of a metric that fails at once, with its newest numbers."""
    found = _newest(numbers, "acute")
    words = _events(metric, found) if metric.kind == "count" else _times(found)
    return f"{headline(metric)}: {words}. FAIL at once, after {after}"


def acute_effect(metric: Metric, numbers: Numbers) -> float:
    """Return the relative change in the newest periods. Positive is harm."""
    found = _newest(numbers, "acute")
    if metric.kind != "count":
        return _relative(found["effect"], 1.0)
    g, b = found["candidate_events"] + 0.5, found["baseline_events"] + 0.5
    ratio = g / b * found["baseline_chances"] / found["candidate_chances"]
    return 1 - ratio if metric.harmful == "decrease" else ratio - 1


def late_sentence(metric: Metric, sign: float, numbers: Numbers, ending: str) -> str:
    """Return the sentence of harm that the newest periods alone show."""
    words = _late_words(metric, sign, numbers)
    return f"{words}. Allowed: {allowed_words(metric, sign)}. {ending}"


def _late_words(metric: Metric, sign: float, numbers: Numbers) -> str:
    found = _newest(numbers, "late")
    if metric.kind == "count":
        return f"{headline(metric)}: {_events(metric, found)}"
    points = metric.limit.scale == "points"
    effect = found["effect"] if points else _relative(found["effect"], sign)
    return (
        f"{headline(metric)}: {size_words(metric, effect, sign)} than the baseline in "
        f"{_last(found)}"
    )


def withheld_words(metric: Metric, sign: float, numbers: Numbers) -> str:
    """Return why PASS is withheld, or an empty string."""
    if "newest_periods" not in numbers:
        return ""
    found = _newest(numbers, "newest")
    if metric.kind == "count":
        return f"the newest periods are worse, {_events(metric, found)}"
    points = metric.limit.scale == "points"
    effect = found["effect"] if points else _relative(found["effect"], sign)
    verb = "is" if found["periods"] == 1 else "are"
    return f"{_last(found)} {verb} {size_words(metric, effect, sign)}"


def warming_words(metric: Metric, sign: float, numbers: Numbers) -> str:
    """Return a sentence about a fresh process that warms up, with a space, or an empty string."""
    if "fading" in numbers:
        return "The difference may still fade, as while a fresh process warms up. "
    if "warm" in numbers:
        worse = directions(metric, sign)[0].capitalize()
        return f"{worse} at first, so only the second half of the periods counts. "
    if "grown" in numbers:
        return (
            "It started below the baseline and grew, so only the second half of the periods "
            "counts for its growth. "
        )
    return ""


def _newest(numbers: Numbers, prefix: str) -> dict[str, float]:
    start = f"{prefix}_"
    return {
        name.removeprefix(start): value for name, value in numbers.items() if name.startswith(start)
    }


def _events(metric: Metric, found: Numbers) -> str:
    """Return both rates: "20 % of the candidate's requests failed in the last 3 periods ..."."""
    g, b = found["candidate_events"], found["baseline_events"]
    n_g, n_b = found["candidate_chances"], found["baseline_chances"]
    last = f"in {_last(found)}"
    if metric.per == "time":
        return f"{number(g)} on the candidate {last}, {number(b)} on the baseline"
    failed = " failed" if metric.is_failure else ""
    whole = f"every one of the candidate's {metric.per}"
    share = whole if g >= n_g else f"{percent(g / n_g)} of the candidate's {metric.per}"
    return (
        f"{share}{failed} {last} ({g:,.0f} of {n_g:,.0f}), "
        f"{percent(b / n_b)} of the baseline's ({b:,.0f} of {n_b:,.0f})"
    )


def _times(found: Numbers) -> str:
    times = number(_relative(found["effect"], 1.0) + 1)
    return f"{times} times the baseline's over {_last(found)}"


def _last(found: Numbers) -> str:
    """Return "the last period" or "the last 3 periods"."""
    count = found["periods"]
    return "the last period" if count == 1 else f"the last {number(count)} periods"


def _relative(effect: float, sign: float) -> float:
    return math.expm1(effect) if sign > 0 else -math.expm1(-effect)


def lead_words(recording: Recording, findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return a sentence on the hosts' difference in the lead-in, or "" without a lead-in."""
    lead = recording.lead_in
    if lead is None:
        return ()
    known = {one.metric: one.details["offset"] for one in findings if "offset" in one.details}
    length = duration(lead.end - lead.step.start)
    if not known:
        return (f"the lead-in of {length} is not used: it has too little data of these hosts",)
    sizes = ", ".join(
        f"{name} {percent(math.expm1(offset), signed=True)}" for name, offset in known.items()
    )
    return (f"the lead-in of {length} measured the hosts' own difference, taken off here: {sizes}",)
