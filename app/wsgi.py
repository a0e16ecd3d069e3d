"""The WSGI application: Bottle's router, and the headers and metrics of every response.

Each response has X-Release, X-Colour, X-Instance and X-Request-Id.
"""

from __future__ import annotations

import http
import itertools
import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

import bottle

from app.cache import Cache, Count, LocalCache, NoCache, RedisCache, redis_client
from app.errors import PROBLEM_JSON, ProblemError
from app.faults import Faults
from app.logs import RequestLog
from app.matching import Matching
from app.metrics.batch import NOT_COUNTED
from app.metrics.exposition import Exposition
from app.metrics.publisher import metrics_directory, published_until
from app.metrics.recorder import Recorder
from app.metrics.slots import Slot
from app.metrics.version import SharedNumber
from app.models import encode
from app.nearcache import NearCache
from app.openapi import openapi
from app.page import page_routes
from app.routes import Api, Reply, Route
from app.services.carts import Carts
from app.services.catalogue import PREFIX, Catalogue
from app.services.commits import Commits
from app.services.health import Health
from app.settings import Settings, read_settings
from app.store import open_store
from app.store.slow import slowed

Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
Wsgi = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

log = logging.getLogger("shop")
STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in http.HTTPStatus}
_REQUEST_ID = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)


def create_app(settings: Settings | None = None, slot: Slot | None = None) -> Wsgi:
    """Return the shop as a WSGI application. The first request opens the store.

    With a server other than ``python -m app`` (``gunicorn "app.wsgi:create_app()"``) it uses its
    own slot for metrics.
    """
    settings = settings or read_settings()
    slot = slot or Slot(metrics_directory(settings))
    faults = Faults(settings)
    faults.at_start()
    store = open_store(settings)
    if faults.slow_store:
        store = slowed(store, faults.store_call)
    health = Health(settings, store, faults, published_until(settings).get)
    recorder = Recorder(slot)
    api = Api(
        Carts(store, faults),
        Catalogue(store, open_cache(settings, recorder.count, faults)),
        Commits(settings),
        health,
        Exposition(metrics_directory(settings), os.getppid, health.gauges, recorder.flush),
        settings.body_limit,
    )
    described = api.routes()
    document = Reply(encode(openapi(described)))
    own = Route("GET", "/openapi.json", lambda _: document, "This document")
    return Envelope(router([*described, own, *page_routes()], faults), settings, recorder)


def open_cache(settings: Settings, count: Count, faults: Faults, *, near: bool = True) -> Cache:
    """Return the Redis cache if there is one, or else a cache that cannot be stale here."""
    if settings.redis_url:
        client = redis_client(settings)
        far = RedisCache(client, settings.product_ttl, count, faults.cache_fails)
        return NearCache(far, client, PREFIX, count) if near else far
    if settings.is_sqlite:
        number = SharedNumber(settings.run_directory / "catalogue-version")
        return LocalCache(number.get, number.bump, count)
    return NoCache()


def router(routes: Iterable[Route], faults: Faults) -> bottle.Bottle:
    app = bottle.Bottle()
    for route in routes:
        strike = None if route.rule in NOT_COUNTED else faults.before(route.rule)
        handler = _stricken(route.handler, strike) if strike else route.handler
        app.route(route.rule, route.method, callback=handler)
    return app


def _stricken(handler: Callable[..., Reply], strike: Callable[[], None]) -> Callable[..., Reply]:
    def call(*values: Any, **variables: str) -> Reply:
        strike()
        return handler(*values, **variables)

    return call


class Envelope:
    """Handles a request: route, headers, metrics.

    It uses Bottle's routes without its request and response objects. For a cached product these
    would cost more than everything else, and no handler needs them.
    """

    def __init__(self, app: bottle.Bottle, settings: Settings, recorder: Recorder) -> None:
        self._match = Matching(app)
        self._record = recorder.record
        self._client = recorder.client
        self._uncounted = NOT_COUNTED | set(settings.unjudged_routes)
        self._log = RequestLog(settings)
        self._headers: Headers = [
            ("X-Release", settings.release),
            ("X-Colour", settings.colour),
            ("X-Instance", settings.instance),
        ]
        self._prefix = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        began = time.perf_counter()
        method = environ["REQUEST_METHOD"]
        try:
            route, variables = self._match(environ)
            where = (route.rule, route.method)
            reply = self._reply(route.callback, environ, variables)
        except bottle.HTTPError as error:  # unknown route or method
            where = ("unmatched", "any")
            reply = _refusal(ProblemError(error.status_code, str(error.body)))
            allowed = error.get_header("Allow")
            reply = reply._replace(headers=(("Allow", allowed),) if allowed else ())
        request_id = self._request_id(environ)
        start_response(
            STATUS_LINES[reply.status],
            [
                ("Content-Type", reply.content_type),
                ("Content-Length", str(len(reply.body))),
                *reply.headers,
                *self._headers,
                ("X-Request-Id", request_id),
            ],
        )
        seconds = time.perf_counter() - began
        self._record((*where, reply.status), seconds)
        if where[0] not in self._uncounted:
            self._client(client_of(environ), failed=reply.status >= 500)
        self._log.request(environ, where[0], reply.status, seconds, request_id)
        return [] if method == "HEAD" else [reply.body]

    @staticmethod
    def _reply(
        handler: Callable[..., Reply], environ: dict[str, Any], variables: dict[str, str]
    ) -> Reply:
        try:
            return handler(environ, **variables)
        except ProblemError as problem:
            return _refusal(problem)
        except Exception:  # unexpected error: the client gets a problem, the log gets the traceback
            log.exception("unexpected error")
            return _refusal(ProblemError(500, "The shop failed; the log says why."))

    def _request_id(self, environ: dict[str, Any]) -> str:
        """Return the proxy's id of this request, if it is safe in logs and headers."""
        given: str = environ.get("HTTP_X_REQUEST_ID", "")
        if given and _REQUEST_ID.fullmatch(given):
            return given
        return f"{self._prefix}-{next(self._numbers):x}"


def client_of(environ: dict[str, Any]) -> str:
    """Return the client's address. The proxy replaces the header that a client sent."""
    forwarded: str | None = environ.get("HTTP_X_FORWARDED_FOR")
    return forwarded or environ.get("REMOTE_ADDR", "")


def _refusal(problem: ProblemError) -> Reply:
    retry = (("Retry-After", str(problem.retry_after)),) if problem.retry_after else ()
    return Reply(problem.document(), PROBLEM_JSON, problem.status, retry)
