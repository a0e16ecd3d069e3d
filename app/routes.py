"""The routes: one table, from which both the application and its OpenAPI document are made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from app.decoding import decode
from app.errors import ProblemError
from app.models import CartIn, CheckoutIn, encode
from app.services.carts import Carts
from app.services.health import Health, Status

Environ = Mapping[str, Any]
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
KEY_PATTERN = "^[\\x21-\\x7e]{1,255}$"


class Reply(NamedTuple):
    body: bytes
    content_type: str = JSON
    status: int = 200


@dataclass(frozen=True, slots=True)
class Route:
    """``answers`` maps each status to what its body is; problems are described once for all."""

    method: str
    rule: str
    handler: Callable[..., Reply]
    summary: str
    takes: Any = None
    answers: Mapping[int, Any] = field(default_factory=dict)
    problems: tuple[int, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


class Api:
    """The handlers. Each gets the WSGI environment and the variables of its path."""

    def __init__(self, carts: Carts, health: Health, body_limit: int) -> None:
        self._carts = carts
        self._health = health
        self._body_limit = body_limit
        self._cart = msgspec.json.Decoder(CartIn, strict=False)
        self._checkout = msgspec.json.Decoder(CheckoutIn, strict=False)

    def save_cart(self, environ: Environ) -> Reply:
        cart = decode(self._cart, self._body(environ))
        return Reply(encode(self._carts.save(cart)))

    def check_out(self, environ: Environ) -> Reply:
        key = idempotency_key(environ)
        cart = decode(self._checkout, self._body(environ))
        return Reply(self._carts.check_out(cart, key).encode(), TEXT)

    def list_carts(self, _: Environ) -> Reply:
        return Reply(encode(self._carts.ids()))

    def status(self, _: Environ) -> Reply:
        return _health(self._health.status())

    def ready(self, _: Environ) -> Reply:
        return _health(self._health.ready())

    def live(self, _: Environ) -> Reply:
        return Reply(b"alive\n", TEXT)

    def _body(self, environ: Environ) -> bytes:
        return read_body(environ, self._body_limit)

    def routes(self) -> tuple[Route, ...]:
        write = (400, 404, 409, 413, 422, 503)
        return (
            Route(
                "POST", "/cart", self.save_cart, "Create or replace a cart", CartIn, problems=write
            ),
            Route(
                "POST",
                "/cart/checkout",
                self.check_out,
                "Turn a cart into an order",
                CheckoutIn,
                problems=write,
            ),
            Route("GET", "/carts", self.list_carts, "List the ids of the active carts"),
            Route("GET", "/status", self.status, "Can this instance serve?"),
            Route("GET", "/ready", self.ready, "Should this instance get new traffic?"),
            Route("GET", "/live", self.live, "Does this process answer at all?"),
        )


def idempotency_key(environ: Environ) -> str | None:
    key: str | None = environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not re.match(KEY_PATTERN, key):
        detail = "Idempotency-Key: Expected 1 to 255 visible ASCII characters."
        raise ProblemError(422, detail, "Idempotency-Key")
    return key


def read_body(environ: Environ, limit: int) -> bytes:
    """Return the body, or refuse it unread if it says that it is too long."""
    length = environ.get("CONTENT_LENGTH")
    if length:
        wanted = int(length) if length.isascii() and length.isdigit() else 0
    else:  # chunked: the server undoes it, and ends the input where the body ends
        wanted = limit + 1 if environ.get("wsgi.input_terminated") else 0
    body: bytes = environ["wsgi.input"].read(wanted) if wanted <= limit + 1 else b""
    if wanted > limit + 1 or len(body) > limit:
        raise ProblemError(413, f"The body is over {limit} bytes.", "body")
    return body


def _health(status: Status) -> Reply:
    return Reply(encode(status), status=200 if status.status == "healthy" else 503)
