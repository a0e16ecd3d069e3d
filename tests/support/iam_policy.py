"""Decides as IAM does whether the statements of one role allow a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html: a
matching Deny wins, a matching Allow permits, and everything else is denied. It supports the
elements of this project's policies, and refuses to evaluate any others. It does not know permission
boundaries, session policies and resource policies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PARTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "Condition"}
Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """One action on one resource. ``context`` holds the condition keys."""

    action: str
    resource: str = "*"
    context: Mapping[str, str] = field(default_factory=dict)


def allowed(statements: Sequence[Statement], request: Request) -> bool:
    """Return whether a role with these statements may make the request."""
    effects = {each["Effect"] for each in statements if _concerns(each, request)}
    return effects == {"Allow"}


def _concerns(statement: Statement, request: Request) -> bool:
    if unknown := set(statement) - PARTS:
        raise NotImplementedError(f"a statement with {unknown}")
    return (
        _names(statement, request.action.lower())
        and any(_like(each, request.resource) for each in listed(statement["Resource"]))
        and all(
            _holds(operator, key, listed(values), request.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _names(statement: Statement, action: str) -> bool:
    negative = "NotAction" in statement
    named = listed(statement["NotAction" if negative else "Action"])
    return any(_like(each.lower(), action) for each in named) != negative


def _holds(operator: str, key: str, values: list[str], context: Mapping[str, str]) -> bool:
    """Return whether a condition is met. Only ForAllValues is met by a request without the key."""
    everything, _, plain = operator.rpartition(":")
    if everything == "ForAllValues":
        return key not in context or _holds(plain, key, values, context)
    if operator not in ("StringEquals", "StringLike", "ArnLike"):
        raise NotImplementedError(f"the condition {operator}")
    folded = {name.lower(): value for name, value in context.items()}
    found = folded.get(key.lower())
    if found is None:
        return False
    if operator == "StringEquals":
        return found in values
    return any(_like(value, found) for value in values)


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _like(pattern: str, text: str) -> bool:
    """Return whether a text matches a pattern with * and ?."""
    shape = "".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in pattern)
    return re.fullmatch(shape, text, re.DOTALL) is not None
