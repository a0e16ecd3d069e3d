"""The routes: one table for the application and its OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from app.decoding import decode
from app.errors import ProblemError
from app.metrics.exposition import Exposition
from app.models import UUID_PATTERN, Cart, CartIn, CheckoutIn, Product, ProductIn, encode
from app.services.carts import Carts
from app.services.catalogue import Catalogue
from app.services.commits import MAX_COMMITS, MAX_LIMIT, PATH_PATTERN, Commit, Commits
from app.services.health import Health, Status

Environ = Mapping[str, Any]
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
KEY_PATTERN = "^[\\x21-\\x7e]{1,255}$"
MAX_PRODUCT_ID = 2_147_483_647
MOST_CARTS = 1_000
NO_CART = "00000000-0000-0000-0000-000000000000"


class Reply(NamedTuple):
    body: bytes
    content_type: str = JSON
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter outside the body: ``place`` is path, query or header."""

    name: str
    place: str
    schema: Mapping[str, Any]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """``takes`` and ``gives`` are models; ``problems`` are the possible error statuses."""

    method: str
    rule: str
    handler: Callable[..., Reply]
    summary: str
    gives: Any = str
    takes: Any = None
    problems: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    content_type: str = JSON


KEY = Parameter("Idempotency-Key", "header", {"type": "string", "pattern": KEY_PATTERN})
PRODUCT_ID = Parameter(
    "id", "path", {"type": "integer", "minimum": 1, "maximum": MAX_PRODUCT_ID}, required=True
)
URL = Parameter(
    *("url", "query"),
    {"type": "string", "maxLength": 300, "pattern": f"^https://[a-z0-9.-]{{1,99}}{PATH_PATTERN}$"},
    required=True,
)
CARTS = Parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": MOST_CARTS})
AFTER = Parameter("after", "query", {"type": "string", "format": "uuid", "pattern": UUID_PATTERN})
LIMIT = Parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT})
SKIP = Parameter("skip", "query", {"type": "integer", "minimum": 0, "maximum": MAX_COMMITS})
WRITE = (400, 413, 422, 503)


class Api:
    """The handlers. Each gets the WSGI environment and the variables of its path."""

    def __init__(
        self,
        carts: Carts,
        catalogue: Catalogue,
        commits: Commits,
        health: Health,
        exposition: Exposition,
        body_limit: int,
    ) -> None:
        self._carts = carts
        self._catalogue = catalogue
        self._commits = commits
        self._health = health
        self._exposition = exposition
        self._body_limit = body_limit
        self._cart = msgspec.json.Decoder(CartIn, strict=False)
        self._checkout = msgspec.json.Decoder(CheckoutIn, strict=False)
        self._product = msgspec.json.Decoder(ProductIn, strict=False)

    def save_cart(self, environ: Environ) -> Reply:
        cart = decode(self._cart, read_body(environ, self._body_limit))
        return Reply(encode(self._carts.save(cart)))

    def check_out(self, environ: Environ) -> Reply:
        key = idempotency_key(environ)
        cart = decode(self._checkout, read_body(environ, self._body_limit))
        return Reply(self._carts.check_out(cart, key).encode(), TEXT)

    def list_carts(self, environ: Environ) -> Reply:
        query = _query(environ)
        limit = _whole("limit", query.get("limit", str(MOST_CARTS)), 1, MOST_CARTS)
        after = query.get("after", NO_CART)
        if not re.fullmatch(UUID_PATTERN, after):
            raise ProblemError(422, f"after is {after[:50]!r}: Expected the id of a cart.", "after")
        ids, more = self._carts.ids(after, limit)
        following = f'</carts?limit={limit}&after={ids[-1] if ids else after}>; rel="next"'
        return Reply(encode(ids), headers=(("Link", following),) if more else ())

    def save_product(self, environ: Environ) -> Reply:
        product = decode(self._product, read_body(environ, self._body_limit))
        return Reply(encode(self._catalogue.put(product.id, product.name, product.price)))

    def product(self, _: Environ, id: str) -> Reply:  # noqa: A002 - the name in the path
        return Reply(self._catalogue.get(_whole("id", id, 1, MAX_PRODUCT_ID)))

    def products(self, _: Environ) -> Reply:
        return Reply(encode(self._catalogue.products()))

    def list_commits(self, environ: Environ) -> Reply:
        query = _query(environ)
        limit = _whole("limit", query.get("limit", "50"), 1, MAX_LIMIT)
        skip = _whole("skip", query.get("skip", "0"), 0, MAX_COMMITS)
        if "url" not in query:
            raise ProblemError(422, "url is missing: /list-commits?url=https://host/path", "url")
        commits, more = self._commits.page(query["url"], limit, skip)
        # a relative reference to the next page, RFC 8288
        following = f'<?url={query["url"]}&limit={limit}&skip={skip + limit}>; rel="next"'
        return Reply(encode(commits), headers=(("Link", following),) if more else ())

    def status(self, _: Environ) -> Reply:
        return _health(self._health.status())

    def ready(self, _: Environ) -> Reply:
        until = self._health.published_until()
        headers = (("X-Metrics-Until", str(until)),) if until else ()
        return _health(self._health.ready())._replace(headers=headers)

    def live(self, _: Environ) -> Reply:
        return Reply(b"alive\n", TEXT)

    def metrics(self, _: Environ) -> Reply:
        return Reply(self._exposition.text(), PROMETHEUS)

    def routes(self) -> tuple[Route, ...]:
        """Return the routes that the OpenAPI document describes."""
        return (*self._shop_routes(), *self._health_routes())

    def _shop_routes(self) -> tuple[Route, ...]:
        return (
            Route(
                *("POST", "/cart", self.save_cart, "Create a cart, or replace a known one's items"),
                gives=Cart,
                takes=CartIn,
                problems=(404, 409, *WRITE),
            ),
            Route(
                *("POST", "/cart/checkout", self.check_out, "Turn a cart into an order, once"),
                takes=CheckoutIn,
                problems=(404, 409, *WRITE),
                parameters=(KEY,),
                content_type=TEXT,
            ),
            Route(
                *("GET", "/carts", self.list_carts, "Ids of the active carts, in order"),
                gives=list[str],
                problems=(422,),
                parameters=(CARTS, AFTER),
            ),
            Route(
                *("POST", "/data", self.save_product, "Store a product, new or changed"),
                gives=Product,
                takes=ProductIn,
                problems=WRITE,
            ),
            Route(
                *("GET", "/product/<id>", self.product, "One product", Product),
                problems=(404, 422),
                parameters=(PRODUCT_ID,),
            ),
            Route("GET", "/products", self.products, "The first products", list[Product]),
            Route(
                *("GET", "/list-commits", self.list_commits, "Commits of a public repository"),
                gives=list[Commit],
                problems=(403, 404, 422, 429, 503),
                parameters=(URL, LIMIT, SKIP),
            ),
        )

    def _health_routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/status", self.status, "Can this instance serve?", Status),
            Route("GET", "/ready", self.ready, "Should it get new traffic?", Status),
            Route("GET", "/live", self.live, "Does the process respond?", content_type=TEXT),
            Route("GET", "/metrics", self.metrics, "For Prometheus", content_type=PROMETHEUS),
        )


def idempotency_key(environ: Environ) -> str | None:
    key: str | None = environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not re.fullmatch(KEY_PATTERN, key):
        detail = "Idempotency-Key: Expected 1 to 255 visible ASCII characters."
        raise ProblemError(422, detail, "Idempotency-Key")
    return key


def read_body(environ: Environ, limit: int) -> bytes:
    """Return the body; reject it unread if Content-Length is too large."""
    length = environ.get("CONTENT_LENGTH")
    if length:
        wanted = int(length) if length.isascii() and length.isdigit() else 0
    else:  # chunked: the server decodes it, and the input ends with the body
        wanted = limit + 1 if environ.get("wsgi.input_terminated") else 0
    body: bytes = environ["wsgi.input"].read(wanted) if wanted <= limit + 1 else b""
    if wanted > limit + 1 or len(body) > limit:
        raise ProblemError(413, f"The body is over {limit} bytes.", "body")
    return body


def _query(environ: Environ) -> dict[str, str]:
    """Return the first value of each name in the query, including empty values."""
    text = environ.get("QUERY_STRING", "")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise ProblemError(422, "The query has over 100 fields.", "query") from None
    return dict(reversed(pairs))


def _whole(name: str, text: str, low: int, high: int) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high:
        return int(text)
    detail = f"{name} is {text[:50]!r}: Expected a whole number from {low} to {high}."
    raise ProblemError(422, detail, name)


def _health(status: Status) -> Reply:
    return Reply(encode(status), status=200 if status.status == "healthy" else 503)
