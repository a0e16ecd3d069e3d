"""The instance metadata service, version 2 only: every request needs a token.

The address identifies the instance. A token is valid only for the instance that requested it.
"""

import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from local_cloud.emulator.lifecycle import Instance
from local_cloud.errors import DaemonError
from local_cloud.metadata import CredentialCache, Metadata
from local_cloud.serving import ServerThread

LONGEST_TOKEN = 21600
TTL = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN = "X-aws-ec2-metadata-token"
Find = Callable[[str], Instance | None]


@dataclass
class Tokens:
    """The valid tokens, with their instances and expiry times."""

    clock: Callable[[], float] = time.time
    _held: dict[str, tuple[str, float]] = field(default_factory=dict)

    def issue(self, instance_id: str, seconds: int) -> str:
        now = self.clock()
        self._held = {token: held for token, held in self._held.items() if held[1] > now}
        token = secrets.token_urlsafe(40)
        self._held[token] = (instance_id, now + seconds)
        return token

    def admits(self, token: str, instance_id: str) -> bool:
        owner, until = self._held.get(token, ("", 0.0))
        return owner == instance_id and until > self.clock()


@dataclass(frozen=True)
class Answer:
    status: HTTPStatus
    text: str = ""
    ttl: int | None = None  # of the token; the packet then lives for one hop only


@dataclass(frozen=True)
class Service:
    """Maps requests to responses; uses no sockets."""

    find: Find
    credentials: CredentialCache
    tokens: Tokens = field(default_factory=Tokens)

    def put(self, caller: str, path: str, seconds: str | None) -> Answer:
        instance = self.find(caller)
        if instance is None or path.rstrip("/") != "/latest/api/token":
            return Answer(HTTPStatus.NOT_FOUND)
        if not instance.metadata:
            return Answer(HTTPStatus.FORBIDDEN)
        if not (seconds or "").isdigit() or not 1 <= int(seconds or "") <= LONGEST_TOKEN:
            return Answer(HTTPStatus.BAD_REQUEST)
        duration = int(seconds or "")
        return Answer(HTTPStatus.OK, self.tokens.issue(instance.id, duration), ttl=duration)

    def get(self, caller: str, path: str, token: str | None) -> Answer:
        instance = self.find(caller)
        if instance is None:
            return Answer(HTTPStatus.NOT_FOUND)
        if not instance.metadata:
            return Answer(HTTPStatus.FORBIDDEN)
        if not self.tokens.admits(token or "", instance.id):
            return Answer(HTTPStatus.UNAUTHORIZED)
        text = Metadata(instance, self.credentials).answer(path.partition("?")[0])
        if text is None:
            return Answer(HTTPStatus.NOT_FOUND)
        return Answer(HTTPStatus.OK, text)

    def hops(self, caller: str) -> int:
        instance = self.find(caller)
        return instance.hop_limit if instance else 1


class Handler(BaseHTTPRequestHandler):
    server_version = "EC2ws"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30
    service: Service

    def do_PUT(self) -> None:
        """Return a token. The hop limit of the instance is the TTL of its packets."""
        caller = self.client_address[0]
        self.connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, self.service.hops(caller))
        if self.headers.get("X-Forwarded-For"):
            self.reply(Answer(HTTPStatus.FORBIDDEN))
            return
        self.reply(self.service.put(caller, self.path, self.headers.get(TTL)))

    def do_GET(self) -> None:
        caller = self.client_address[0]
        self.connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 64)
        self.reply(self.service.get(caller, self.path, self.headers.get(TOKEN)))

    def reply(self, answer: Answer) -> None:
        body = answer.text.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        if answer.ttl is not None:
            self.send_header(TTL, str(answer.ttl))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log no requests."""


class MetadataServer(ServerThread):
    def __init__(self, address: str, port: int, service: Service) -> None:
        handler = type("BoundHandler", (Handler,), {"service": service})
        try:
            server = ThreadingHTTPServer((address, port), handler)
        except OSError as error:
            raise DaemonError(
                f"Port {port} of {address}, for instance metadata, is in use ({error.strerror}). "
                "Set LOCAL_CLOUD_PORT: instance metadata uses the port after it."
            ) from None
        server.daemon_threads = True
        super().__init__(server, "metadata")
