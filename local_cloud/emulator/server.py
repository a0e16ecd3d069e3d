"""The AWS API over HTTP: moto's application behind the gate, served by threads."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from local_cloud.emulator import STATUS_PATH
from local_cloud.emulator.gate import Keeper
from local_cloud.serving import ServerThread

LOG = logging.getLogger(__name__)
Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]
Status = Callable[[], object]

READS = re.compile(r"(Describe|Get|List|Head|Lookup|Query|Scan|BatchGet|Select|Filter|Test|Verify)")
# These bypass the gate: one waits for messages, the others are sent continuously.
LONG = {"ReceiveMessage"}
PUBLISH = {"PutMetricData", "PutLogEvents"}
SCOPE = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/")


class Handler(MotoRequestHandler):
    """One connection; ``Gatekeeper`` writes the log."""

    disable_nagle_algorithm = True  # otherwise a response in two packets waits 40 ms
    timeout = 120

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: 200 requests a second would fill the disk."""


class Gatekeeper:
    """Admit requests, and hold a response back until its change is on disk."""

    def __init__(
        self, application: Application, keeper: Keeper, metrics: Keeper, status: Status
    ) -> None:
        self.application = application
        self.keeper = keeper
        self.metrics = metrics
        self.status = status

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == STATUS_PATH:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(self.status()).encode()]
        service, action = name_call(environ)
        if action in LONG | PUBLISH:
            return self.application(environ, start_response)
        keeper = self.metrics if service == "monitoring" else self.keeper
        with keeper.gate.shared():
            answer = self.application(environ, start_response)
            body = list(answer)
        if hasattr(answer, "close"):
            answer.close()
        if changes(environ["REQUEST_METHOD"], service, action):
            LOG.info("%s %s %s", environ.get("REMOTE_ADDR"), service, action)
            keeper.keep()
        return body


def name_call(environ: Environ) -> tuple[str, str]:
    """Return the service and the operation of a request, if it names them."""
    scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    service = scope["service"] if scope else ""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return service, target.rpartition(".")[2]
    kind = environ.get("CONTENT_TYPE", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        return service, parse_qs(peek(environ)).get("Action", [""])[0]
    _, _, operation = environ.get("PATH_INFO", "").partition("/operation/")
    return service, operation


def peek(environ: Environ) -> str:
    """Read the body of a form and put it back."""
    size = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(size)
    environ["wsgi.input"] = io.BytesIO(body)
    return str(body, "utf-8", "replace")


def changes(method: str, service: str, action: str) -> bool:
    """Return whether a call can change the saved state."""
    if service in ("s3", "route53") or not action:
        return method not in ("GET", "HEAD", "OPTIONS")
    return READS.match(action) is None


class Server(ServerThread):
    """The endpoint of the AWS API, in threads of this process."""

    def __init__(
        self, address: tuple[str, int], keeper: Keeper, metrics: Keeper, status: Status
    ) -> None:
        dispatcher = DomainDispatcherApplication(create_backend_app)
        self.application = Gatekeeper(dispatcher, keeper, metrics, status)
        server = make_server(*address, self.application, threaded=True, request_handler=Handler)
        self.port = server.port
        super().__init__(server, "endpoint")
