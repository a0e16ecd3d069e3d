"""SEARCH expressions: which metrics match ``{Namespace,Dimension} MetricName="requests"``.

Exact terms (double quotes), single-token partial terms, ``Property=term``, AND, OR, NOT and
brackets: user guide, "CloudWatch search expression syntax". Composite partial matches
(``CustomCount`` in ``CustomCount1``) are not supported; quote the whole name instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from local_cloud.cloudwatch.expressions.grammar import ExpressionError
from local_cloud.cloudwatch.metric import Metric

Match = Callable[[Metric], bool]
LONGEST = 1024

SCHEMA = re.compile(r"\s*\{([^}]*)\}\s*,?")
SCHEMA_NAME = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,"]+))\s*(?:,|$)')
TERM = re.compile(
    r'\s*(?:(?P<bracket>[()])|(?:(?P<property>:?[\w.]+|"[^"]+")\s*=\s*)?(?:"(?P<exact>(?:[^"\\]|\\.)*)"|(?P<word>[^\s()"=]+)))'
)
CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def tokens(text: str) -> set[str]:
    """Return the tokens into which CloudWatch splits a name.

    >>> sorted(tokens("Project2-trial333"))
    ['2', '333', 'project', 'project2trial333', 'trial']
    """
    return {part.lower() for part in CAMEL.findall(text)} | {re.sub(r"\W|_", "", text).lower()}


@lru_cache(maxsize=256)
def parse(expression: str) -> Match:
    """Return the predicate of a search expression.

    Raises:
        ExpressionError: the expression is empty, too long or invalid.
    """
    if len(expression) > LONGEST:
        raise ExpressionError(f"A search expression has at most {LONGEST} characters")
    schema = SCHEMA.match(expression)
    rest = expression[schema.end() :] if schema else expression
    tests = [_schema(schema[1])] if schema else []
    if rest.strip():
        tests.append(_Terms(rest).whole())
    if not tests:
        raise ExpressionError("A search needs a {Namespace, Dimension}, a term, or both")
    return _all(tests)


def _all(tests: list[Match]) -> Match:
    return lambda metric: all(test(metric) for test in tests)


def _schema(text: str) -> Match:
    names = [
        _unescape(quoted) if quoted else bare.strip() for quoted, bare in SCHEMA_NAME.findall(text)
    ]
    if not names or not names[0]:
        raise ExpressionError("A search's {} begins with a namespace")
    namespace, dimensions = names[0], set(names[1:])
    return lambda metric: (
        metric.namespace == namespace and dimensions == {name for name, _ in metric.dimensions}
    )


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


class _Terms:
    """A parser of searches. NOT binds tightest, then AND (explicit or implied), then OR."""

    def __init__(self, text: str) -> None:
        self._terms = list(_split(text))
        self._next = 0

    def _peek(self) -> str:
        return self._terms[self._next][1] if self._next < len(self._terms) else ""

    def _take(self, *words: str) -> bool:
        found = self._peek() in words and self._peek() != ""
        self._next += found
        return found

    def whole(self) -> Match:
        match = self._either()
        if self._peek():
            raise ExpressionError(f"Unexpected '{self._peek()}' in a search")
        return match

    def _either(self) -> Match:
        choices = [self._both()]
        while self._take("OR"):
            choices.append(self._both())
        return lambda metric: any(choice(metric) for choice in choices)

    def _both(self) -> Match:
        tests = [self._one()]
        while self._peek() not in ("", ")", "OR"):
            self._take("AND")
            tests.append(self._one())
        return _all(tests)

    def _one(self) -> Match:
        if self._take("NOT"):
            negated = self._one()
            return lambda metric: not negated(metric)
        if self._take("("):
            inner = self._either()
            if not self._take(")"):
                raise ExpressionError("A search lacks a ')'")
            return inner
        if self._next >= len(self._terms) or self._peek() in ("AND", "OR", ")"):
            raise ExpressionError("A search lacks a term")
        test, _ = self._terms[self._next]
        self._next += 1
        return test


def _split(text: str) -> Iterator[tuple[Match, str]]:
    position, end = 0, len(text.rstrip())
    while position < end:
        found = TERM.match(text, position)
        if found is None:
            raise ExpressionError(f"Unexpected '{text[position:].strip()[:1]}' in a search")
        position = found.end()
        quoted = found["exact"] is not None or found["property"] is not None
        yield _term(found), "a term" if quoted else found[0].strip()


def _term(found: re.Match[str]) -> Match:
    name = (found["property"] or "").strip('"')
    if found["exact"] is not None:
        wanted = _unescape(found["exact"])
        return lambda metric: wanted in _texts(metric, name)
    word = found["word"] or ""
    needed = (
        tokens(word)
        if not word.isalnum()
        else {part.lower() for part in CAMEL.findall(word)} or {word}
    )
    return lambda metric: any(needed <= tokens(text) for text in _texts(metric, name))


def _texts(metric: Metric, name: str) -> Iterable[str]:
    """Return the texts that a term is compared with: all, or those of one property."""
    if not name:
        pairs = [text for pair in metric.dimensions for text in pair]
        return (metric.namespace, metric.name, *pairs)
    known = {"MetricName": metric.name, "Namespace": metric.namespace, **dict(metric.dimensions)}
    return (known[name],) if name in known else ()
