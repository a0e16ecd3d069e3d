"""Artificial faults of a release, for demonstrations and tests; none by default.

    SHOP_FAULTS="latency=200ms@/cart/checkout:0.3 error=503:0.05"

A fault is ``name=value``, then ``@route`` (default: all routes of shoppers), then ``:p``, the share
of requests that it affects (default: all), then ``+120s``, the time after the first request at
which it begins (default: at once), then ``#1``, the end of the names of the instances that have it
(default: all instances). The random numbers are seeded, so the same requests get the same faults.
"""

from __future__ import annotations

import http
import os
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.errors import ProblemError
from app.models import MAX_TOTAL
from app.settings import Settings, SettingsError

_FAULT = re.compile(
    r"(?P<name>[a-z]+)(?:=(?P<value>[^@#+\s]+?))?(?:@(?P<route>/[^\s:#+]*))?"
    r"(?::(?P<chance>0|0?\.[0-9]+|1|1\.0+))?(?:\+(?P<delay>[0-9]+)s)?(?:#(?P<host>[\w-]+))?"
)
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s)")
_SIZE = re.compile(r"([0-9]+)(KB|MB)(?:/req)?")
_CRASH = re.compile(r"start|after:([0-9]+)req")

#: The default value of each fault; also the list of all faults.
DEFAULTS = {
    "latency": "200ms",
    "error": "503",
    "memleak": "100KB/req",
    "cache": "40MB",
    "cpu": "20ms",
    "wrong": "total",
    "crash": "after:500req",
    "slowstart": "30s",
    "dbslow": "100ms",
    "readiness": "fail",
    "cachefail": "always",
}
#: What a process with the fault ``cache`` keeps of each request, until it has the whole amount.
CACHED = 100_000
#: Initial delay of a ``slowstart`` release.
COLD_SECONDS = 0.5
CRASHED = 70
PRODUCTION = "production"
_STATUSES = frozenset(str(each.value) for each in http.HTTPStatus if each >= 400)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``amount`` is seconds, bytes, a status or a number of requests, by the name."""

    text: str
    name: str
    amount: float
    route: str
    chance: float
    delay: float = 0.0
    host: str = ""

    def strikes(self, rule: str) -> bool:
        """Return whether the fault affects this route; ``/product`` includes ``/product/<id>``."""
        return self.route in ("", rule, rule.partition("/<")[0])


class Faults:
    """The faults of this release. Without faults, every method does nothing."""

    def __init__(self, settings: Settings) -> None:
        configured = parse_faults(settings.faults)
        if configured:
            _must_be_allowed(settings)
        self._faults = [fault for fault in configured if settings.instance.endswith(fault.host)]
        self._chance = random.Random(settings.fault_seed)  # noqa: S311 - repeatable on purpose
        self._began = time.monotonic()
        self._first: float | None = None
        self._leaked: list[bytes] = []
        self._requests = 0

    def active(self) -> list[str]:
        """Return the faults in their configured form, for /status."""
        return [fault.text for fault in self._faults]

    def at_start(self) -> None:
        """Crash if this release has the fault ``crash=start``."""
        if any(fault.name == "crash" and not fault.amount for fault in self._faults):
            os._exit(CRASHED)

    def unready(self) -> str:
        """Return why the instance is not ready, or an empty string."""
        return "readiness=fail is configured" if self._named("readiness") else ""

    def total(self, cents: int) -> int:
        """Return the total of a cart; a tenth too high with the fault ``wrong``."""
        wrong = any(self._drawn(fault) for fault in self._named("wrong"))
        return min(cents * 11 // 10, MAX_TOTAL) if wrong else cents

    @property
    def slow_store(self) -> bool:
        return bool(self._named("dbslow"))

    def store_call(self) -> None:
        """Wait like a slow database."""
        for fault in self._named("dbslow"):
            if self._drawn(fault):
                time.sleep(fault.amount)

    def cache_fails(self) -> bool:
        """Return whether the cache fails this time."""
        return any(self._drawn(fault) for fault in self._named("cachefail"))

    def before(self, rule: str) -> Callable[[], None] | None:
        """Return the function that applies the faults to a request of a route, or None."""
        acts = {  # in this order, because an error ends the request
            "crash": self._crash,
            "slowstart": self._cold,
            "latency": self._latency,
            "cpu": self._burn,
            "memleak": self._leak,
            "cache": self._fill,
            "error": self._error,
        }
        mine = [
            (act, fault)
            for name, act in acts.items()
            for fault in self._named(name)
            if fault.strikes(rule)
        ]
        if not mine:
            return None

        def strike() -> None:
            self._first = self._first or time.monotonic()
            for act, fault in mine:
                if self._drawn(fault):
                    act(fault)

        return strike

    def _named(self, name: str) -> list[Fault]:
        return [fault for fault in self._faults if fault.name == name]

    def _drawn(self, fault: Fault) -> bool:
        if fault.delay and (not self._first or time.monotonic() < self._first + fault.delay):
            return False
        return fault.chance >= 1 or self._chance.random() < fault.chance

    def _latency(self, fault: Fault) -> None:
        time.sleep(fault.amount)

    def _error(self, fault: Fault) -> None:
        raise ProblemError(int(fault.amount), f"This release is to fail: {fault.text}.")

    def _leak(self, fault: Fault) -> None:
        self._leaked.append(b"x" * int(fault.amount))

    def _fill(self, fault: Fault) -> None:
        if len(self._leaked) * CACHED < fault.amount:
            self._leaked.append(b"x" * CACHED)

    def _burn(self, fault: Fault) -> None:
        until = time.thread_time() + fault.amount
        while time.thread_time() < until:
            pass

    def _crash(self, fault: Fault) -> None:
        self._requests += 1
        if self._requests >= fault.amount:
            os._exit(CRASHED)

    def _cold(self, fault: Fault) -> None:
        left = 1 - (time.monotonic() - self._began) / fault.amount
        time.sleep(max(0.0, left) * COLD_SECONDS)


def parse_faults(text: str) -> tuple[Fault, ...]:
    """Parse SHOP_FAULTS.

    >>> [(f.name, f.amount, f.route, f.chance) for f in parse_faults("latency=200ms@/cart:0.3")]
    [('latency', 0.2, '/cart', 0.3)]
    """
    return tuple(_parse(word) for word in re.split(r"[\s,]+", text) if word)


def _parse(word: str) -> Fault:
    match = _FAULT.fullmatch(word)
    if not match or match["name"] not in DEFAULTS:
        raise SettingsError(
            f"SHOP_FAULTS has {word!r}; write name=value[@route][:chance][+delay][#host] with one "
            f"of {', '.join(DEFAULTS)}, as in latency=200ms@/cart:0.3."
        )
    name, default = match["name"], DEFAULTS[match["name"]]
    value = match["value"] or default
    amount = _amount(name, value)
    if amount is None:
        raise SettingsError(f"SHOP_FAULTS has {word!r}; a {name} is written as {name}={default}.")
    chance, delay = float(match["chance"] or 1), float(match["delay"] or 0)
    return Fault(word, name, amount, match["route"] or "", chance, delay, match["host"] or "")


def _amount(name: str, value: str) -> float | None:
    """Parse the value, or return None if it is invalid."""
    if name in ("latency", "cpu", "dbslow", "slowstart"):
        match = _DURATION.fullmatch(value)
        return float(match[1]) / (1000 if match[2] == "ms" else 1) if match else None
    if name == "error":
        return float(value) if value in _STATUSES else None
    if name in ("memleak", "cache"):
        match = _SIZE.fullmatch(value)
        return float(match[1]) * (1e3 if match[2] == "KB" else 1e6) if match else None
    if name == "crash":
        match = _CRASH.fullmatch(value)
        return float(match[1] or 0) if match else None
    return 1.0 if value == DEFAULTS[name] else None


def _must_be_allowed(settings: Settings) -> None:
    """Reject faults where they are not allowed, as in production."""
    word = PRODUCTION if settings.environment == PRODUCTION else "1"
    if settings.allow_faults != word:
        raise SettingsError(
            f"SHOP_FAULTS is {settings.faults!r} in environment {settings.environment}, where "
            f"faults are not allowed; unset it, or set SHOP_ALLOW_FAULTS={word}."
        )
