"""HAProxy's runtime API: each change is read back to verify it."""

from __future__ import annotations

import csv
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shop_traffic.config import RefusedError, Server

SECONDS = 2.0
POLL = 0.05
ANSWERS = ("hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other")
COUNTERS = (
    "requests",
    "errors",
    "retries",
    "redispatches",
    "connection_errors",
    "response_errors",
    "check_failures",
)
TIMES = ("timed", "microseconds")
FALLBACK = "-fallback"
COLUMNS = 3  # of `show times`: server, responses, microseconds (times.lua)
SERVER = 4  # `show stat` types: 1 frontend, 2 backend, 4 server


@dataclass(frozen=True, slots=True)
class Seen:
    """One server line as HAProxy reports it. Counters start with its worker."""

    weight: int
    state: str
    sessions: int
    requests: int
    errors: int
    retries: int
    redispatches: int
    connection_errors: int
    response_errors: int
    check_failures: int

    @property
    def up(self) -> bool:
        return self.state in ("UP", "no")  # "no check"


class Runtime:
    def __init__(self, path: Path, backend: str) -> None:
        self.path = path
        self.backend = backend

    def ask(self, line: str) -> str:
        """Send one command line and return HAProxy's whole response."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(SECONDS)
                connection.connect(str(self.path))
                connection.sendall(line.encode() + b"\n")
                return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        except OSError as error:
            raise RefusedError(
                f"HAProxy does not respond on {self.path} ({error}): systemctl status haproxy"
            ) from error

    def read(self) -> dict[str, Seen]:
        """Return every server line of the backend, fallback lines included."""
        text = self.ask(f"show stat {self.backend} {SERVER} -1")
        rows = list(csv.DictReader(text.strip().removeprefix("# ").splitlines()))
        if not rows:
            raise RefusedError(
                f"HAProxy knows no servers in backend {self.backend!r}: {text.strip()}"
            )
        return {row["svname"]: seen(row) for row in rows}

    def started(self) -> int | None:
        """Return the worker's start time, so that a reader can detect a reload."""
        for line in self.ask("show info").splitlines():
            name, _colon, value = line.partition(": ")
            if name == "Start_time_sec":
                return int(value)
        return None

    def times(self) -> dict[str, tuple[int, int]]:
        """Return how many responses of each server line were timed, and their microseconds."""
        rows = [line.split() for line in self.ask("show times").splitlines()]
        return {row[0]: (int(row[1]), int(row[2])) for row in rows if len(row) == COLUMNS}

    def apply(self, weights: Mapping[str, int], states: Mapping[str, str]) -> None:
        """Set weights and states with one command line, then read them back.

        Servers that gain weight come first, so that there is always one to serve.
        """
        ready = [name for name, state in states.items() if state == "ready"]
        others = [name for name in states if name not in ready]
        commands = [
            *(self.set(name, f"state {states[name]}") for name in ready),
            *(
                self.set(name, f"weight {weight}")
                for name, weight in sorted(weights.items(), key=lambda item: -item[1])
            ),
            *(self.set(name, f"state {states[name]}") for name in others),
        ]
        self.command(commands)
        now = self.read()
        wrong = {
            name: now[name].weight for name, weight in weights.items() if differs(now, name, weight)
        }
        if wrong:
            raise RefusedError(
                f"HAProxy did not keep the weights: asked {dict(weights)}, has {wrong}."
            )

    def command(self, commands: Iterable[str]) -> None:
        """Run commands that have no output when they succeed."""
        response = self.ask("; ".join(commands)).strip()
        if response:
            raise RefusedError(f"HAProxy refused: {' '.join(response.split())}")

    def set(self, server: str, what: str) -> str:
        return f"set server {self.backend}/{server} {what}"


def differs(now: Mapping[str, Seen], name: str, weight: int) -> bool:
    return name not in now or now[name].weight != weight


def seen(row: Mapping[str, str]) -> Seen:
    def number(name: str) -> int:
        return int(row[name] or 0)

    return Seen(
        weight=number("uweight"),
        state=row["status"].split()[0],
        sessions=number("scur"),
        requests=sum(number(name) for name in ANSWERS),
        # In a drill, HAProxy denies responses: it sends 500 instead.
        errors=number("hrsp_5xx") + number("dresp"),
        retries=number("wretr"),
        redispatches=number("wredis"),
        connection_errors=number("econ"),
        response_errors=number("eresp"),
        check_failures=number("chkfail"),
    )


def counters(servers: Iterable[Server], now: Mapping[str, Seen]) -> dict[str, dict[str, int]]:
    """Return the counters of each server, with those of its fallback added."""
    return {
        what: {
            s.name: getattr(now[s.name], what) + getattr(now[s.name + FALLBACK], what)
            for s in servers
        }
        for what in COUNTERS
    }


def times(
    servers: Iterable[Server], found: Mapping[str, tuple[int, int]]
) -> dict[str, dict[str, int]]:
    """Return the responses and microseconds of each server, with those of its fallback added."""
    none = (0, 0)
    return {
        what: {
            s.name: found.get(s.name, none)[n] + found.get(s.name + FALLBACK, none)[n]
            for s in servers
        }
        for n, what in enumerate(TIMES)
    }


def wait(done: Callable[[], bool], patience: float, otherwise: str) -> None:
    give_up = time.monotonic() + patience
    while not done():
        if time.monotonic() > give_up:
            raise RefusedError(f"{otherwise} after {patience:g} s.")
        time.sleep(POLL)
