"""The kind and the direction of harm of a metric, from its name and its values.

Names decide first, because counts of errors and of orders have similar values. Values decide
whether a metric can be compared at all. Every metric that is left out gets a reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from canary.formatting import number, percent, plural
from canary.judge.shrinkage import STICKY, sticky
from canary.offline.suggest.profile import Profile
from canary.policy import Metric
from canary.sources.base import Query

COVERED = 0.8
"""Least share of periods with a value; a canary may lack a fifth of them."""
POSITIVE = 0.99
FEW_EVENTS = 20
MANY = 30.0
"""A count per time with this many events per instance and period is a throughput."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A metric that can be compared: its keys in a policy, and the reason for them."""

    keys: dict[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A metric that cannot be compared, and the reason."""

    name: str
    reason: str


def _words(*words: str) -> re.Pattern[str]:
    """Return a pattern for whole words in names such as http_request_errors or cpuUtilization."""
    return re.compile(rf"(?:^|_)(?:{'|'.join(words)})(?:_|$)")


FAILURES = _words(
    *("errors?", "fail(?:s|ed|ures?)?", r"\w*5_?xx", "exceptions?", "timeouts?", "retr(?:y|ies)"),
    *("rejected", "rejections", "dropped", "drops", "aborts?", "aborted", "crash(?:es)?"),
    *("restarts?", "refused", "faults?", "oom", "throttled", "throttles", "misses"),
)
SUCCESSES = _words(
    *("orders?", "checkouts?", "purchases?", "signups?", "sign_ups?", "logins?", "conversions?"),
    *("success(?:es|ful)?", "hits", "completed", "processed", "delivered", "payments?", "sales"),
)
TRAFFIC = _words("requests?", "rps", "qps", "traffic", "requestcount", "hits_total")
LATENCY = _words(
    *("latency", "latencies", "duration", "durations", "response_time", "request_time", "elapsed"),
    *("time", "times", "ttfb", "wait", "millis", "milliseconds", "seconds", "ms"),
)
LEVEL = _words(
    *("mem", "memory", "rss", "heap", "disk", "connections", "threads", "goroutines", "fds"),
    *("queue", "backlog", "bytes", "mb"),
)
GAUGE = _words(
    *("cpu", "load", "load1", "load5", "utili[sz]ation", "busy", "saturation", "usage", "percent"),
)
PERCENTILE = re.compile(r"(?:^|_)p(\d{2}(?:\.\d)?|999)(?:_|$)")
UNITS = (
    ("ms", _words("ms", "millis", "milliseconds")),
    ("us", _words("us", "micros", "microseconds")),
    ("s", _words("s", "sec", "secs", "seconds")),
    ("bytes", _words("bytes")),
    ("MB", _words("mb", "megabytes")),
    ("%", _words("percent", "pct")),
)


def first_query(name: str, names: Sequence[str]) -> Query:
    """Return the first query for a metric. Only CloudWatch uses the statistic in it."""
    plain = _plain(name)
    if any(words.search(plain) for words in (FAILURES, SUCCESSES, TRAFFIC)):
        return Query(name, name, "Sum", samples="requests" if "requests" in names else None)
    return Query(name, name, "Average", spread=True)


def choose(name: str, profile: Profile, given: Metric | None = None) -> Chosen | LeftOut:
    """Return the keys of a metric, or why it cannot be judged; ``given`` is a policy's metric."""
    if given is None:
        found = _guessed(name, profile)
    else:
        keys = given.model_dump(mode="json", exclude_unset=True)
        found = Chosen({k: v for k, v in keys.items() if k != "margin"}, "As the policy says")
    if isinstance(found, LeftOut):
        return found
    why = _unusable(found.keys, profile)
    return LeftOut(name, why) if why else found


def _guessed(name: str, profile: Profile) -> Chosen | LeftOut:
    """Return the kind that the name suggests, or else the values."""
    plain = _plain(name)
    if not profile.known.size:
        return LeftOut(name, "It has no value in this time")
    if FAILURES.search(plain):
        return _events(name, profile, "increase", "failures, as its name says")
    if PERCENTILE.search(plain) or LATENCY.search(plain):
        return _latency(name, plain)
    if profile.counted and TRAFFIC.search(plain):
        return LeftOut(
            name, "It counts requests, and the proxy decides how many of them an instance gets"
        )
    if profile.counted and SUCCESSES.search(plain):
        return _events(name, profile, "decrease", "successes, as its name says")
    return _other(name, plain, profile)


def _other(name: str, plain: str, profile: Profile) -> Chosen | LeftOut:
    if GAUGE.search(plain):
        return _plain_value(name, plain, "gauge", "increase", "The use of a resource")
    if LEVEL.search(plain):
        return _plain_value(name, plain, "level", "increase", "An amount that may grow")
    if profile.whole and profile.sampled and profile.part_of_samples:
        return _events(name, profile, "either", "something, never more often than requests")
    if profile.whole and profile.usual >= MANY and not profile.sampled:
        keys = {"name": name, "kind": "throughput"}
        return Chosen(keys, "Whole numbers, many in each period: fewer are harm")
    return _plain_value(
        name, plain, "gauge", "either", "A value, of which neither more nor less is known as harm"
    )


def _events(name: str, profile: Profile, harm: str, why: str) -> Chosen | LeftOut:
    keys: dict[str, Any] = {"name": name, "kind": "count"}
    if harm != "increase":
        keys["harm"] = harm
    if not profile.counted:
        return LeftOut(
            name,
            "Its name says that it counts events, but its values are shares; give the "
            "number of events per period, and the requests as samples",
        )
    if profile.sampled and profile.part_of_samples:
        if profile.coverage < COVERED:
            keys["absent"] = "zero"
        return Chosen(keys, f"Counts {why}; judged per request")
    keys["per"] = "time"
    return Chosen(keys, f"Counts {why}; its requests are not known, so judged per instance")


def _latency(name: str, plain: str) -> Chosen:
    keys: dict[str, Any] = {"name": name, "kind": "latency"}
    found = PERCENTILE.search(plain)
    if found:
        digits = "99.9" if found[1] == "999" else found[1]
        keys |= {"kind": "quantile", "statistic": f"p{digits}"}
    words = "A percentile" if found else "A time"
    return Chosen(_with_unit(keys, plain), f"{words}, as its name says; longer is harm")


def _plain_value(name: str, plain: str, kind: str, harm: str, why: str) -> Chosen:
    keys: dict[str, Any] = {"name": name, "kind": kind}
    if harm != "increase":
        keys["harm"] = harm
    keys["critical"] = False
    reason = f"{why}; compared where all instances carry the same load"
    return Chosen(_with_unit(keys, plain), reason)


def _with_unit(keys: dict[str, Any], plain: str) -> dict[str, Any]:
    """Add the unit that the name contains. Without a unit, a few ms more do not FAIL a latency."""
    unit = next((unit for unit, words in UNITS if words.search(plain)), None)
    if unit is not None:
        return {**keys, "unit": unit}
    return {**keys, "negligible": 0} if keys["kind"] in ("latency", "quantile") else keys


def _unusable(keys: dict[str, Any], profile: Profile) -> str:
    """Return why a metric of this kind cannot be judged, or an empty string."""
    if profile.hosts < 2:
        return f"{plural(profile.hosts, 'instance')} reported it; a comparison needs two"
    if profile.rising:
        return "Its values only rise: it is a running total. Give its increase in each period"
    count = keys["kind"] == "count"
    if profile.coverage < COVERED and keys.get("absent") != "zero":
        share = percent(profile.coverage)
        return f"It has a value in {share} of the periods; a canary needs {percent(COVERED)}"
    return _too_few(keys, profile) if count else _no_ratio(profile)


def _too_few(keys: dict[str, Any], profile: Profile) -> str:
    events = float(profile.known.sum())
    if events >= FEW_EVENTS or (keys.get("per") != "time" and keys.get("harm") is None):
        return ""
    return f"There were {number(events)} events in all this time, too few to compare"


def _no_ratio(profile: Profile) -> str:
    if np.ptp(profile.known) == 0:
        return f"Its value never changes: it is always {number(profile.usual)}"
    if profile.above_zero < POSITIVE:
        share = percent(1 - profile.above_zero)
        return f"It is zero or less in {share} of the periods, so no ratio can be formed"
    if sticky(profile.differences):
        share = percent(float((profile.differences == 0).mean()))
        return (
            f"Two instances have the very same value in {share} of the periods, so its noise "
            f"cannot be learned (less than {percent(STICKY)} are needed)"
        )
    return ""


def _plain(name: str) -> str:
    """Return a name in lower case, its words separated by underscores."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_")
