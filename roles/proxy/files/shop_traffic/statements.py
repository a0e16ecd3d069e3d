"""What each server states in the headers of its health check: release, clock, metrics."""

from __future__ import annotations

import http.client
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from shop_traffic.config import Config, Server

SECONDS = 0.5
RELEASE = re.compile(r"[\w.+-]{1,128}", re.ASCII)
TIME = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Statement:
    """The headers of one server.

    Attributes:
        release: ``X-Release``.
        ahead: seconds by which its clock (``Date``) is ahead of this host's.
        until: ``X-Metrics-Until``, the end of the newest period whose metrics it has sent.
    """

    release: str = ""
    ahead: int | None = None
    until: int | None = None


def statements(config: Config) -> dict[str, dict[str, str | int]]:
    """Return by kind what each server states. A server that does not respond has no release."""
    with ThreadPoolExecutor(len(config.servers)) as pool:
        found = list(pool.map(lambda server: ask(server, config), config.servers))
    said = {server.name: one for server, one in zip(config.servers, found, strict=True)}
    return {
        "releases": {name: one.release for name, one in said.items()},
        "clocks": {name: one.ahead for name, one in said.items() if one.ahead is not None},
        "metrics_until": {name: one.until for name, one in said.items() if one.until is not None},
    }


def ask(server: Server, config: Config) -> Statement:
    connection = http.client.HTTPConnection(server.address, server.port, timeout=SECONDS)
    headers = {"Host": config.check_host, "Connection": "close"}
    try:
        connection.request("GET", config.check_path, headers=headers)
        answer = connection.getresponse()
    except (OSError, http.client.HTTPException):
        return Statement()
    finally:
        connection.close()
    release, until = answer.getheader("X-Release", ""), answer.getheader("X-Metrics-Until", "")
    return Statement(
        release if RELEASE.fullmatch(release) else "",
        ahead(answer.getheader("Date", "")),
        int(until) if TIME.fullmatch(until) else None,
    )


def ahead(date: str) -> int | None:
    """Return the seconds by which an HTTP date is ahead of this clock, or None if it is invalid."""
    try:
        return round(parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
