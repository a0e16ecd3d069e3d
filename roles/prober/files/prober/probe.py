"""One probe: one request to a URL, with a strict time limit.

A socket's timeout restarts with every byte, and a name server may not respond for minutes. So the
request runs in its own thread, and the caller stops waiting at the limit.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from prober.settings import Target

MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
LARGEST = 1 << 20  # bytes of a response that are read
DAY = 86_400


@dataclass(frozen=True)
class Result:
    """The result of one probe that began at ``time``."""

    name: str
    time: float
    available: bool
    reason: str
    latency: float | None = None
    certificate_days: float | None = None


class UnfitError(Exception):
    """The response is not the expected one."""


class Attempt(threading.Thread):
    """One request in its own thread; ``abandon`` ends it if the server does not finish."""

    def __init__(self, target: Target, limit: float) -> None:
        super().__init__(name=f"probe-{target.name}", daemon=True)
        self.certificate_days: float | None = None
        self.latency: float | None = None
        self.reason = ""
        self._target = target
        self._limit = limit
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        began = time.monotonic()
        try:
            status = self._follow(self._target.url)
        except UnfitError as error:
            self.reason = str(error)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.reason = f"{type(error).__name__}: {error}"
            return
        else:
            if status != self._target.status:
                self.reason = f"status {status}, not {self._target.status}"
        self.latency = time.monotonic() - began

    def abandon(self) -> None:
        """Close the connection; the thread then ends with an error."""
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def _follow(self, url: str) -> int:
        for _attempt in range(MOST_REDIRECTS + 1):
            status, location = self._ask(urlsplit(url))
            if status not in REDIRECTS or status == self._target.status:
                return status
            if not location:
                raise UnfitError(f"status {status} without a Location")
            url = urljoin(url, location)
        raise UnfitError(f"more than {MOST_REDIRECTS} redirects; the next is {url}")

    def _ask(self, parts: SplitResult) -> tuple[int, str]:
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UnfitError(f"a redirect to {parts.geturl()!r}, which can't be probed")
        connect = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = connect(parts.hostname, parts.port, timeout=self._limit)
        self._connection = connection
        with contextlib.closing(connection):
            connection.connect()
            self._note_certificate(connection.sock)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"User-Agent": "prober", "Connection": "close"}
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            response.read(LARGEST)
            return response.status, response.headers.get("Location", "")

    def _note_certificate(self, link: socket.socket | None) -> None:
        """Store the days until the first certificate of the redirects expires."""
        if not isinstance(link, ssl.SSLSocket):
            return
        ends = (link.getpeercert() or {}).get("notAfter")
        if isinstance(ends, str):
            days = (ssl.cert_time_to_seconds(ends) - time.time()) / DAY
            first = self.certificate_days
            self.certificate_days = days if first is None else min(first, days)


class Prober:
    """Probes one URL, never twice at the same time."""

    def __init__(self, target: Target, limit: float) -> None:
        self.target = target
        self._limit = limit
        self._last: Attempt | None = None

    def probe(self) -> Result:
        """Probe the URL once; always return within the limit."""
        now = time.time()
        if self._last is not None and self._last.is_alive():
            self._last.abandon()
            return Result(self.target.name, now, available=False, reason="the last one still hangs")
        attempt = self._last = Attempt(self.target, self._limit)
        attempt.start()
        attempt.join(self._limit)
        if attempt.is_alive():
            attempt.abandon()
            reason = f"no response within {self._limit:g} s"
            return Result(self.target.name, now, available=False, reason=reason)
        available = attempt.latency is not None and not attempt.reason
        return Result(
            name=self.target.name,
            time=now,
            available=available,
            reason=attempt.reason,
            latency=attempt.latency,
            certificate_days=attempt.certificate_days,
        )
