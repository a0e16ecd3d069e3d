"""The grammar of metric math: text to a tree, by precedence climbing.

Lowest precedence first: OR, AND, comparisons, + and -, * and /, unary -, ^. Operators and functions
are as in the user guide's "Metric math syntax and functions".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


class ExpressionError(ValueError):
    """An expression that cannot be parsed or computed; the message says why."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """The id of a query (lower case first) or a keyword such as REPEAT (upper case first)."""

    value: str


@dataclass(frozen=True, slots=True)
class Array:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator; unary minus is ``negate``."""

    function: str
    arguments: tuple[Node, ...]


Node = Number | Text | Name | Array | Call

TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)
      | (?P<text>"[^"]*"|'[^']*')
      | (?P<name>[A-Za-z_]\w*)
      | (?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>()\[\],])
    )""",
    re.VERBOSE | re.ASCII,
)
BINDING = {
    "OR": 1,
    "AND": 2,
    **dict.fromkeys(("==", "!=", "<=", ">=", "<", ">"), 3),
    **dict.fromkeys("+-", 4),
    **dict.fromkeys("*/", 5),
    "^": 7,
}
NEGATION = 6
SPELLINGS = {"&&": "AND", "||": "OR"}
MAX_DEPTH = 50


@lru_cache(maxsize=512)
def parse(text: str) -> Node:
    """Return the syntax tree of an expression.

    Raises:
        ExpressionError: the text is not a valid expression.

    >>> parse("5 * m1")
    Call(function='*', arguments=(Number(value=5.0), Name(value='m1')))
    """
    parser = _Parser(_tokens(text))
    tree = parser.expression(0, 0)
    if parser.peek() != "":
        raise ExpressionError(f"Unexpected '{parser.peek()}'")
    return tree


def _tokens(text: str) -> list[tuple[str, str]]:
    """Split text into (kind, token) pairs; the last one is ("end", "")."""
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        found = TOKEN.match(text, position)
        if found is None:
            raise ExpressionError(f"Unexpected '{text[position:].strip()[:1]}'")
        kind = str(found.lastgroup)
        tokens.append((kind, SPELLINGS.get(found[kind], found[kind])))
        position = found.end()
    return [*tokens, ("end", "")]


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._next = 0

    def peek(self) -> str:
        return self._tokens[self._next][1]

    def take(self) -> tuple[str, str]:
        token = self._tokens[self._next]
        self._next += token[0] != "end"
        return token

    def expect(self, sign: str) -> None:
        kind, token = self.take()
        if token != sign or kind == "text":
            raise ExpressionError(f"Expected '{sign}'" + (f", not '{token}'" if token else ""))

    def expression(self, loosest: int, depth: int) -> Node:
        """Parse operands and operators of higher precedence than ``loosest``."""
        if depth > MAX_DEPTH:
            raise ExpressionError(f"More than {MAX_DEPTH} levels deep")
        left = self.operand(depth)
        while (binding := self.binding()) > loosest:
            _, sign = self.take()
            left = Call(sign, (left, self.expression(binding, depth + 1)))
        return left

    def binding(self) -> int:
        kind, token = self._tokens[self._next]
        return 0 if kind == "text" else BINDING.get(token, 0)

    def operand(self, depth: int) -> Node:
        kind, token = self.take()
        if kind == "number":
            return Number(float(token))
        if kind == "text":
            return Text(token[1:-1])
        if kind == "name" and token not in BINDING:
            return self.name(token, depth)
        if token == "-":
            return Call("negate", (self.expression(NEGATION, depth + 1),))
        if token == "(":
            inner = self.expression(0, depth + 1)
            self.expect(")")
            return inner
        if token == "[":
            return Array(self.items("]", depth))
        raise ExpressionError(f"Unexpected '{token}'" if token else "Unexpected end of expression")

    def name(self, name: str, depth: int) -> Node:
        if self.peek() != "(":
            return Name(name)
        self.take()
        return Call(name, self.items(")", depth))

    def items(self, closing: str, depth: int) -> tuple[Node, ...]:
        """Parse comma-separated items up to the closing bracket."""
        items: list[Node] = []
        while self.peek() != closing:
            if items:
                self.expect(",")
            items.append(self.expression(0, depth + 1))
        self.take()
        return tuple(items)
