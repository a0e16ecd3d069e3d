"""Routes are matched like in Bottle, but faster."""

from __future__ import annotations

from typing import Any

import bottle
import pytest

from app.matching import Matching

RULES = [
    ("GET", "/"),
    ("GET", "/product/<id>"),
    ("GET", "/product/newest"),
    ("POST", "/product/<id>"),
    ("GET", "/products"),
    ("POST", "/cart"),
    ("POST", "/cart/checkout"),
    ("GET", "/<shop>/product/<id>"),
    ("GET", "/page/<name:re:[a-z]+>"),
]
PATHS = [
    *("", "/", "//", "/product", "/product/", "/product/1", "/product/1/", "/product//1"),
    *("/product/newest", "/product/a b", "/product/ä", "/product/1\n", "/product/<id>"),
    *("/a/product/2", "/page/x", "/page/7", "/products", "/PRODUCTS", "/cart", "/cart/checkout"),
    *("/cart/checkout/1", "nowhere", "/nowhere/1"),
]


def outcome(match: Any, method: str, path: str) -> tuple[Any, ...]:
    try:
        route, variables = match({"REQUEST_METHOD": method, "PATH_INFO": path})
    except bottle.HTTPError as error:
        return error.status_code, error.get_header("Allow")
    return route.method, route.rule, variables


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "get", ""])
@pytest.mark.parametrize("path", PATHS)
def test_the_answer_is_bottles(method: str, path: str) -> None:
    app = bottle.Bottle()
    for verb, rule in RULES:
        app.route(rule, verb, callback=lambda: None)
    assert outcome(Matching(app), method, path) == outcome(app.match, method, path)


def test_a_variable_at_the_end_needs_no_regular_expression(monkeypatch: pytest.MonkeyPatch) -> None:
    app = bottle.Bottle()
    for verb, rule in RULES[:7]:
        app.route(rule, verb, callback=lambda: None)
    monkeypatch.setattr(app, "match", None)
    assert outcome(Matching(app), "GET", "/product/7") == ("GET", "/product/<id>", {"id": "7"})
