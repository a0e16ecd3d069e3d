"""Evaluate the syntax tree of an expression."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from local_cloud.cloudwatch.expressions import grammar
from local_cloud.cloudwatch.expressions.aggregates import Scope
from local_cloud.cloudwatch.expressions.functions import FUNCTIONS
from local_cloud.cloudwatch.expressions.grammar import (
    Call,
    ExpressionError,
    Name,
    Node,
    Number,
    Text,
)
from local_cloud.cloudwatch.expressions.values import (
    Array,
    Keyword,
    Value,
    array,
    combined,
    each_point,
)
from local_cloud.cloudwatch.metric import TimeSeries


def _divide(left: float, right: float) -> float | None:
    return left / right if right else None


def _power(left: float, right: float) -> float | None:
    try:
        result = left**right
    except (ZeroDivisionError, OverflowError):
        return None
    return result if isinstance(result, float) else None


def _truth(compare: Callable[[float, float], bool]) -> Callable[[float, float], float]:
    return lambda left, right: float(compare(left, right))


OPERATORS: Mapping[str, Callable[[float, float], float | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "^": _power,
    "==": _truth(operator.eq),
    "!=": _truth(operator.ne),
    "<": _truth(operator.lt),
    "<=": _truth(operator.le),
    ">": _truth(operator.gt),
    ">=": _truth(operator.ge),
    "AND": _truth(lambda left, right: bool(left and right)),
    "OR": _truth(lambda left, right: bool(left or right)),
}


def evaluate(node: Node, scope: Scope) -> Value:
    """Return the value of a syntax tree.

    Raises:
        ExpressionError: an unknown function, or an argument of the wrong type.
    """
    if isinstance(node, Number | Text):
        return node.value
    if isinstance(node, Name):
        return Keyword(node.value) if node.value[0].isupper() else scope.lookup(node.value)
    if isinstance(node, grammar.Array):
        members = (array(evaluate(item, scope), "[]") for item in node.items)
        return [series for member in members for series in member]
    return _call(node, scope)


def _call(node: Call, scope: Scope) -> Value:
    arguments = [evaluate(argument, scope) for argument in node.arguments]
    if node.function == "negate":
        return each_point(operator.neg, arguments[0], "-")
    if node.function in OPERATORS:
        return combined(OPERATORS[node.function], arguments[0], arguments[1], node.function)
    if node.function not in FUNCTIONS:
        raise ExpressionError(f"Unknown function '{node.function}'")
    function, fewest, most = FUNCTIONS[node.function]
    if not fewest <= len(arguments) <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
        plural = "s" * (most != 1)
        message = f"{node.function} takes {wanted} argument{plural}, not {len(arguments)}"
        raise ExpressionError(message)
    return function(scope, arguments)


def result(text: str, scope: Scope) -> Array:
    """Return the series that an expression results in.

    Raises:
        ExpressionError: also if the result is a number: "The final result of any math expression
            must be a single time series or an array of time series".
    """
    value = evaluate(grammar.parse(text), scope)
    if isinstance(value, TimeSeries):
        return [value]
    if not isinstance(value, list):
        raise ExpressionError("The result is not a time series")
    return value
