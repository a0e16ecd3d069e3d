"""The WSGI application: Bottle's router, and around it what every answer needs.

Each answer carries X-Release, X-Colour, X-Instance and X-Request-Id.
"""

from __future__ import annotations

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
from app.metrics.batch import NOT_COUNTED
from app.metrics.exposition import Exposition
from app.metrics.publisher import metrics_directory
from app.metrics.slots import Slot
from app.metrics.version import SharedNumber
from app.models import encode
from app.nearcache import NearCache
from app.openapi import openapi
from app.routes import Api, Reply, Route, page_routes
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
_REQUEST_ID = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)


def create_app(settings: Settings | None = None, slot: Slot | None = None) -> Wsgi:
    """Return the shop as a WSGI application; the store is opened by the first request.

    Under another server than ``python -m app`` (``gunicorn "app.wsgi:create_app()"``) it counts
    in a slot of its own.
    """
    settings = settings or read_settings()
    slot = slot or Slot(metrics_directory(settings))
    faults = Faults(settings)
    faults.at_start()
    store = open_store(settings)
    if faults.slow_store:
        store = slowed(store, faults.store_call)
    health = Health(settings, store, faults)
    api = Api(
        Carts(store, faults),
        Catalogue(store, open_cache(settings, slot.count, faults)),
        Commits(settings),
        health,
        Exposition(metrics_directory(settings), os.getppid, health.gauges),
        settings.body_limit,
    )
    described = api.routes()
    document = Reply(encode(openapi(described)))
    own = Route("GET", "/openapi.json", lambda _: document, "This document")
    return Envelope(router([*described, own, *page_routes()], faults), settings, slot)


def open_cache(settings: Settings, count: Count, faults: Faults, *, near: bool = True) -> Cache:
    """Return Redis if there is one; else what cannot be stale where this shop runs."""
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
        app.route(route.rule, route.method, callback=_callback(handler))
    app.default_error_handler = _bottle_error
    return app


def _stricken(handler: Callable[..., Reply], strike: Callable[[], None]) -> Callable[..., Reply]:
    def call(*values: Any, **variables: str) -> Reply:
        strike()
        return handler(*values, **variables)

    return call


def _callback(handler: Callable[..., Reply]) -> Callable[..., bytes]:
    def call(**variables: str) -> bytes:
        try:
            reply = handler(bottle.request.environ, **variables)
        except ProblemError as problem:
            return _refuse(bottle.response, problem)
        response = bottle.response
        response.set_header("Content-Type", reply.content_type)
        if reply.status != 200:
            response.status = reply.status
        for name, value in reply.headers:
            response.set_header(name, value)
        return reply.body

    return call


def _refuse(response: Any, problem: ProblemError) -> bytes:
    response.status = problem.status
    response.set_header("Content-Type", PROBLEM_JSON)
    if problem.retry_after:
        response.set_header("Retry-After", str(problem.retry_after))
    return problem.document()


def _bottle_error(error: Any) -> bytes:
    """Bottle's own 404 and 405, and whatever a handler did not foresee, as problems."""
    if error.status_code >= 500:
        log.error("unforeseen", exc_info=error.exception)
        return _refuse(error, ProblemError(500, "The shop failed; the log says why."))
    return _refuse(error, ProblemError(error.status_code, str(error.body)))


class Envelope:
    """Adds the headers, and records what was asked, answered, and how long it took."""

    def __init__(self, app: Wsgi, settings: Settings, slot: Slot) -> None:
        self._app = app
        self._record = slot.record
        self._log = RequestLog(settings)
        self._headers: Headers = [
            ("X-Release", settings.release),
            ("X-Colour", settings.colour),
            ("X-Instance", settings.instance),
        ]
        self._prefix = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        began = time.perf_counter()
        request_id = environ.get("HTTP_X_REQUEST_ID", "")
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = f"{self._prefix}-{next(self._numbers):x}"
        answered = ""

        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            nonlocal answered
            answered = status
            headers += self._headers
            headers.append(("X-Request-Id", request_id))
            return start_response(status, headers, exc_info)

        body = self._app(environ, start)
        seconds = time.perf_counter() - began
        matched = environ.get("bottle.route")
        route = matched.rule if matched else "unmatched"
        status = int(answered[:3])
        self._record((route, matched.method if matched else "any", status), seconds)
        self._log.request(environ, route, status, seconds, request_id)
        return body
