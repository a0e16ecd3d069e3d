"""Sends a bounded load. Needs nothing but Python.

Usage: python3 load.py http://192.0.2.10 100 30    (100 requests per second, for 30 minutes)
       python3 load.py http://192.0.2.10 100 30 / /items /report    (each of these paths as often)
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from itertools import count
from urllib.parse import urlsplit

USERS = 500  # HAProxy tells them apart by their cookie
CONNECTIONS = 50
PATIENCE = 10  # seconds for one response


class Load:
    """Requests at a steady rate, on as many connections as that needs."""

    def __init__(self, url: str, rate: float, minutes: float, paths: list[str]) -> None:
        self.url = urlsplit(url)
        self.paths = paths or [self.url.path or "/"]
        self.rate = rate
        self.number = count()  # of the next request
        self.seen: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.begun = time.monotonic()
        self.end = self.begun + minutes * 60

    def work(self) -> None:
        """Send one request after another on one connection, each when it is due."""
        connection = HTTPConnection(self.url.netloc, timeout=PATIENCE)
        for number in self.number:
            due = self.begun + number / self.rate
            if due > self.end:
                return
            early = due - time.monotonic()
            if early < -PATIENCE:
                continue  # requests that a stall has held up are left out
            time.sleep(max(0.0, early))
            failed = not self.succeeds(connection, number)
            with self.lock:
                self.seen.update(sent=1, failed=int(failed))

    def succeeds(self, connection: HTTPConnection, number: int) -> bool:
        try:
            cookie = {"Cookie": f"session={number % USERS}"}
            connection.request("GET", self.path(number), headers=cookie)
            response = connection.getresponse()
            response.read()
        except (OSError, HTTPException):
            connection.close()  # the next request opens it again
            return False
        return response.status < 500

    def path(self, number: int) -> str:
        """Return the path of a request. Every user requests all paths in turn.

        Otherwise the two releases, which get different users, would also get different paths.
        """
        return self.paths[(number % USERS + number // USERS) % len(self.paths)]

    def run(self) -> None:
        for _ in range(CONNECTIONS):
            threading.Thread(target=self.work, daemon=True).start()
        while (left := self.end - time.monotonic()) > 0:
            time.sleep(min(10.0, left))
            print(f"{self.seen['sent']} requests, {self.seen['failed']} failed", flush=True)  # noqa: T201


def main() -> None:
    try:
        url, rate, minutes = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
        paths = sys.argv[4:]
        if not (urlsplit(url).scheme == "http" and rate > 0 and minutes > 0):
            raise ValueError
        if not all(path.startswith("/") for path in paths):
            raise ValueError
    except (ValueError, IndexError):
        sys.exit(__doc__)
    with suppress(KeyboardInterrupt):
        Load(url, rate, minutes, paths).run()


if __name__ == "__main__":
    main()
