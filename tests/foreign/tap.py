"""A recording proxy on loopback between an AWS client and an emulator.

It names each call by its service and operation, so that a test can say which calls were made, and
that a plan made none that writes. It changes nothing but the emulator's known gaps (``gaps.py``).
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import parse_qs, urlsplit

SCOPE = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
RPC = re.compile(r"/service/[^/]+/operation/(\w+)")
READS = ("Describe", "Get", "List", "Head", "Lookup", "Simulate", "BatchGet")
# The checksum of DynamoDB is that of the answer before a repair; botocore would retry for minutes.
DROPPED = {"connection", "transfer-encoding", "content-length", "keep-alive", "x-amz-crc32"}


@dataclass(frozen=True)
class Call:
    """One request to the API of AWS."""

    service: str
    operation: str
    region: str
    status: int

    @property
    def writes(self) -> bool:
        return not self.operation.startswith(READS)

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}"


Repair = Callable[[str, bytes], bytes]
"""Changes the answer to a call, which it gets by name."""


@dataclass
class Tap:
    """The calls that were made so far, in order."""

    upstream: tuple[str, int]
    repair: Repair
    calls: list[Call] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    url: str = ""

    def note(self, call: Call) -> None:
        with self.lock:
            self.calls.append(call)

    @contextmanager
    def recording(self) -> Iterator[list[Call]]:
        """Collect the calls that are made meanwhile."""
        begin = len(self.calls)
        made: list[Call] = []
        yield made
        made += self.calls[begin:]


@contextmanager
def tapped(upstream: tuple[str, int], repair: Repair) -> Iterator[Tap]:
    """Serve a tap for the emulator at ``upstream``."""
    tap = Tap(upstream, repair)
    handler = type("TapHandler", (_Handler,), {"tap": tap})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    tap.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield tap
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def operation(method: str, target: str, headers: dict[str, str], body: bytes) -> str:
    """Return the operation that a request asks for.

    >>> operation("POST", "/", {"x-amz-target": "AmazonSSM.PutParameter"}, b"{}")
    'PutParameter'
    >>> operation("POST", "/", {}, b"Action=RunInstances&Version=2016-11-15")
    'RunInstances'
    >>> operation("PUT", "/bucket?versioning", {}, b"")
    'PutBucket?versioning'
    """
    if "x-amz-target" in headers:
        return headers["x-amz-target"].rsplit(".", 1)[1]
    if found := RPC.match(target):
        return found[1]
    action = parse_qs(body.decode("latin-1")).get("Action") if method == "POST" else None
    if action:
        return action[0]
    url = urlsplit(target)
    kind = "Object" if url.path.strip("/").count("/") else "Bucket"
    aspect = url.query.split("=")[0].split("&")[0]
    return f"{method.capitalize()}{kind}" + (f"?{aspect}" if aspect else "")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    tap: Tap

    def _forward(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        status, answered, data = self._ask(body)
        scope = SCOPE.search(headers.get("authorization", ""))
        call = Call(
            scope["service"] if scope else "",
            operation(self.command, self.path, headers, body),
            scope["region"] if scope else "",
            status,
        )
        self.tap.note(call)
        self._answer(status, answered, self.tap.repair(str(call), data) if data else data)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(*self.tap.upstream, timeout=60)
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                if name.lower() not in {"connection", "expect"}:
                    connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
        self.send_response_only(status)
        length = dict(headers).get("Content-Length", "0")
        for name, value in headers:
            if name.lower() not in DROPPED:
                self.send_header(name, value)
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _forward  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Write no access log."""
