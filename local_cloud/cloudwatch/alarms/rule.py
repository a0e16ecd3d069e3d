"""The rule of a composite alarm: ``ALARM(a) AND NOT (OK("b") OR TRUE)``. Pure.

API reference of PutCompositeAlarm: at most 100 children and 500 elements.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from local_cloud.cloudwatch.alarms.condition import StateValue

States = Mapping[str, StateValue]
Test = Callable[[States], bool]
MOST_CHILDREN = 100
MOST_ELEMENTS = 500
TOKEN = re.compile(
    r"""\s*(?:
        (?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"(?P<quoted>[^"]+)"|(?P<bare>[^()"]+?))\s*\)
      | (?P<word>(?:TRUE|FALSE|AND|OR|NOT)\b|[()])
    )""",
    re.VERBOSE,
)
ARN = re.compile(r"arn:[\w-]+:cloudwatch:[\w-]*:\d*:alarm:(.+)")


class RuleError(ValueError):
    """A rule that cannot be parsed; the message says why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A parsed rule, and the names of the alarms in it, in their order."""

    holds: Test
    children: tuple[str, ...]


@lru_cache(maxsize=256)
def parse(text: str) -> Rule:
    """Return the rule.

    Raises:
        RuleError: the text is not a valid rule.

    >>> rule = parse('ALARM(slow) AND NOT ALARM("deploying")')
    >>> rule.children
    ('slow', 'deploying')
    >>> rule.holds({"slow": StateValue.ALARM, "deploying": StateValue.OK})
    True
    """
    parser = _Parser(text)
    test = parser.either()
    if parser.peek():
        raise RuleError(f"Unexpected '{parser.peek()}' in AlarmRule")
    children = tuple(dict.fromkeys(parser.children))
    if len(children) > MOST_CHILDREN or parser.elements > MOST_ELEMENTS:
        raise RuleError(
            f"AlarmRule has {len(children)} alarms and {parser.elements} elements; "
            f"at most {MOST_CHILDREN} and {MOST_ELEMENTS} are allowed"
        )
    return Rule(test, children)


def name_of(reference: str) -> str:
    """Return the name of an alarm, given its name or ARN."""
    found = ARN.fullmatch(reference)
    return found[1] if found else reference


class _Parser:
    """A parser of rules. NOT binds tightest, then AND, then OR."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_split(text))
        self._next = 0
        self.elements = sum(token not in ("AND", "OR", "NOT") for _, token in self._tokens)
        self.children: list[str] = []

    def peek(self) -> str:
        return self._tokens[self._next][1] if self._next < len(self._tokens) else ""

    def take(self, word: str) -> bool:
        found = self.peek() == word
        self._next += found
        return found

    def either(self) -> Test:
        tests = [self.both()]
        while self.take("OR"):
            tests.append(self.both())
        return lambda states: any(test(states) for test in tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self.take("AND"):
            tests.append(self.one())
        return lambda states: all(test(states) for test in tests)

    def one(self) -> Test:
        if self.take("NOT"):
            negated = self.one()
            return lambda states: not negated(states)
        if self.take("("):
            inner = self.either()
            if not self.take(")"):
                raise RuleError("AlarmRule lacks a ')'")
            return inner
        for word, truth in (("TRUE", True), ("FALSE", False)):
            if self.take(word):
                return lambda _, truth=truth: truth  # type: ignore[misc]
        return self.state()

    def state(self) -> Test:
        wanted, name = self._tokens[self._next] if self._next < len(self._tokens) else ("", "")
        if not wanted:
            raise RuleError(
                f"Unexpected '{name}' in AlarmRule" if name else "AlarmRule ends too soon"
            )
        self._next += 1
        self.children.append(name)
        return lambda states: states.get(name) == wanted


def _split(text: str) -> list[tuple[str, str]]:
    """Cut a rule into (state, alarm name) and ("", word) tokens."""
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        found = TOKEN.match(text, position)
        if found is None:
            raise RuleError(f"Unexpected '{text[position:].strip()[:20]}' in AlarmRule")
        position = found.end()
        name = found["quoted"] or found["bare"]
        tokens.append((found["state"], name_of(name)) if found["state"] else ("", found["word"]))
    return tokens
