"""The routes of the web page, whose static files are read once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.routes import Environ, Reply, Route

_STATIC = Path(__file__).parent / "static"


def static(name: str, content_type: str) -> Callable[[Environ], Reply]:
    """Return a handler for a static file, which is read once."""
    policy = (("Content-Security-Policy", "default-src 'self'"), ("Cache-Control", "no-cache"))
    reply = Reply((_STATIC / name).read_bytes(), f"{content_type}; charset=utf-8", headers=policy)
    return lambda _: reply


def page_routes() -> tuple[Route, ...]:
    """Return the routes of the web page."""
    return (
        Route("GET", "/", static("index.html", "text/html"), "The shop's page"),
        Route("GET", "/static/shop.js", static("shop.js", "text/javascript"), "Its program"),
        Route("GET", "/static/shop.css", static("shop.css", "text/css"), "Its looks"),
    )
