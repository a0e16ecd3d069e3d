"""A recording proxy on loopback between an AWS client and an emulator.

It names each call by its service and operation. So a test can check which calls were made, and that
a plan made none that writes. It changes only responses with the emulator's known gaps
(``gaps.py``).
"""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
from botocore.parsers import RpcV2CBORParser
from botocore.session import get_session

SCOPE = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
RPC = re.compile(r"/service/[^/]+/operation/(\w+)")
EC2_ID = re.compile(r"[a-z]+-[0-9a-f]{8,17}")
READS = ("Describe", "Get", "List", "Head", "Lookup", "Simulate", "BatchGet")
# DynamoDB's checksum is of the unrepaired response, so botocore would retry for minutes.
ANY_KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
DROPPED = {"connection", "transfer-encoding", "content-length", "keep-alive", "x-amz-crc32"}


@dataclass(frozen=True)
class Call:
    """One request to the API of AWS."""

    service: str
    operation: str
    region: str
    status: int
    parameters: Mapping[str, str] = field(default_factory=dict)
    """The parameters: query or JSON, flat, and the path as ``path``."""
    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The tags of the call's EC2 resources before the call."""

    @property
    def writes(self) -> bool:
        return not self.operation.startswith(READS)

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}"


Repair = Callable[[Call, bytes], tuple[int, bytes]]
"""Returns the status and the body of a response; it may change both."""


@dataclass
class Tap:
    """The calls that were made so far, in order."""

    upstream: tuple[str, int]
    repair: Repair
    calls: list[Call] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    url: str = ""
    keys: dict[str, str] = field(default_factory=lambda: dict(ANY_KEYS))
    """Keys of an administrator. moto accepts any keys until its IAM is switched on."""
    ahead: float = 0.0
    """Seconds by which the clock of AWS is ahead of this machine's."""

    def note(self, call: Call) -> None:
        with self.lock:
            self.calls.append(call)

    @contextmanager
    def recording(self) -> Iterator[list[Call]]:
        """Collect the calls made inside the context."""
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


@cache
def paths(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    """Return method, path and name of each operation of a service whose calls are paths."""
    model = get_session().get_service_model(service)
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(http["requestUri"].rstrip("/")))
        found.append((str(http["method"]), re.compile(path), str(name)))
    return found


def operation(
    method: str, target: str, headers: dict[str, str], body: bytes, service: str = ""
) -> str:
    """Return the operation that a request calls.

    >>> operation("POST", "/", {"x-amz-target": "AmazonSSM.PutParameter"}, b"{}")
    'PutParameter'
    >>> operation("POST", "/", {}, b"Action=RunInstances&Version=2016-11-15")
    'RunInstances'
    >>> operation("PUT", "/bucket?versioning", {}, b"")
    'PutBucket?versioning'
    >>> operation("POST", "/2013-04-01/hostedzone/Z1/rrset/", {}, b"", "route53")
    'ChangeResourceRecordSets'
    """
    if "x-amz-target" in headers:
        return headers["x-amz-target"].rsplit(".", 1)[1]
    if found := RPC.match(target):
        return found[1]
    action = parse_qs(body.decode("latin-1")).get("Action") if method == "POST" else None
    if action:
        return action[0]
    url = urlsplit(target)
    if service == "route53":
        path = url.path.rstrip("/")
        names = [n for verb, shape, n in paths(service) if verb == method and shape.fullmatch(path)]
        return names[0]
    kind = "Object" if url.path.strip("/").count("/") else "Bucket"
    aspect = url.query.split("=")[0].split("&")[0]
    return f"{method.capitalize()}{kind}" + (f"?{aspect}" if aspect else "")


def parameters(target: str, kind: str, body: bytes) -> dict[str, str]:
    """Return a request's parameters, flat: ``TagSpecification.1.ResourceType`` or ``RoleName``."""
    path = {"path": unquote(urlsplit(target).path)}
    if "cbor" in kind:
        parser = RpcV2CBORParser()
        stream = parser.get_peekable_stream_from_bytes(body)
        return path | flat(parser.parse_data_item(stream))
    if "json" in kind:
        return path | flat(json.loads(body or b"{}"))
    if "form" in kind:
        return path | {name: each[0] for name, each in parse_qs(body.decode("latin-1")).items()}
    return path


def flat(document: object, prefix: str = "") -> dict[str, str]:
    """Return the parts of a document by their path.

    >>> flat({"Tags": [{"Key": "a"}]})
    {'Tags.1.Key': 'a'}
    """
    if isinstance(document, dict):
        parts = [(f"{prefix}{name}", value) for name, value in document.items()]
    elif isinstance(document, list):
        parts = [(f"{prefix}{number}", value) for number, value in enumerate(document, start=1)]
    else:
        return {prefix.rstrip("."): str(document)}
    return {key: text for name, value in parts for key, text in flat(value, f"{name}.").items()}


def tags_of(tap: Tap, region: str, named: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return the tags that the EC2 resources in a request have now."""
    ids = sorted({value for value in named.values() if EC2_ID.fullmatch(value)})
    if not ids or named.get("Action", "").startswith(READS):
        return {}
    ec2 = boto3.client(
        "ec2",
        region_name=region,
        endpoint_url=f"http://{tap.upstream[0]}:{tap.upstream[1]}",
        **tap.keys,
    )
    found: dict[str, dict[str, str]] = {each: {} for each in ids}
    for tag in ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": ids}])["Tags"]:
        found[tag["ResourceId"]][tag["Key"]] = tag["Value"]
    return found


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    tap: Tap

    def _forward(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        scope = SCOPE.search(headers.get("authorization", ""))
        service, region = (scope["service"], scope["region"]) if scope else ("", "")
        named = parameters(self.path, headers.get("content-type", ""), body)
        tags = tags_of(self.tap, region, named) if service == "ec2" else {}
        status, answered, data = self._ask(body)
        name = operation(self.command, self.path, headers, body, service)
        call = Call(service, name, region, status, named, tags)
        self.tap.note(call)
        status, data = self.tap.repair(call, data) if data else (status, data)
        self._answer(status, answered, data)

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
            if name.lower() == "date":
                self.send_header(name, formatdate(time.time() + self.tap.ahead, usegmt=True))
            elif name.lower() not in DROPPED:
                self.send_header(name, value)
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _forward  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Write no access log."""
