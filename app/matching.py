"""Find the route of a request with two look-ups. Bottle's router handles the others.

Bottle matches each path against two regular expressions. Most requests here match a route exactly,
or with one variable at the end. Bottle handles all others, including errors.
"""

from __future__ import annotations

import re
from typing import Any

import bottle

_VARIABLE = re.compile(r"<([a-z]+)>")
_NONE: dict[str, str] = {}


class Matching:
    def __init__(self, app: bottle.Bottle) -> None:
        self._otherwise = app.match
        self._exact: dict[tuple[str, str], bottle.Route] = {}
        self._ending: dict[tuple[str, str], tuple[bottle.Route, str]] = {}
        for route in app.routes:
            head, _, last = route.rule.rpartition("/")
            variable = _VARIABLE.fullmatch(last)
            if "<" not in route.rule:
                self._exact[route.method, route.rule] = route
            elif variable and "<" not in head:
                self._ending[route.method, head] = (route, variable[1])

    def __call__(self, environ: dict[str, Any]) -> tuple[bottle.Route, dict[str, str]]:
        """Return the route and its variables, or raise Bottle's error."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if route := self._exact.get((method, path)):
            return route, _NONE
        head, _, last = path.rpartition("/")
        if last and (found := self._ending.get((method, head))):
            return found[0], {found[1]: last}
        matched: tuple[bottle.Route, dict[str, str]] = self._otherwise(environ)
        return matched
