"""Check an ``environment`` section, and list every fault at once."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from canary.environment.fields import Section
from canary.environment.schema import Environment
from canary.errors import PolicyError
from canary.formatting import without_password

if typing.TYPE_CHECKING:
    from pydantic_core import ErrorDetails

KINDS = {
    "source": ("cloudwatch", "prometheus", "csv", "proxy"),
    "state": ("aws", "file"),
    "artifact": ("none", "directory", "command", "python"),
}
"""The kinds of each section that has several."""


def parse_environment(document: Mapping[str, Any] | None, name: str = "policy") -> Environment:
    """Check a policy's ``environment`` section; ``name`` is the policy's name in messages.

    Raises:
        PolicyError: the section is missing or wrong; every fault is named.
    """
    if document is None:
        raise PolicyError(
            f"The {name} has no environment section, so there is no proxy to control. Judge a past "
            "window instead: canary analyze --help"
        )
    try:
        return Environment.model_validate(document)
    except ValidationError as error:
        lines = "\n".join(f"  - environment: {_sentence(fault)}" for fault in error.errors())
        raise PolicyError(f"The {name} is not valid:\n{lines}") from error


def _sentence(fault: ErrorDetails) -> str:
    where = ": ".join(_place(fault["loc"])) or "section"
    match fault["type"]:
        case "missing":
            return f"{where} is missing."
        case "extra_forbidden":
            return f"{where} is not a key.{_near(fault['loc'])}"
        case "value_error":
            return f"{where}: {fault['ctx']['error']}."
        case "union_tag_invalid":
            allowed = fault["ctx"]["expected_tags"]
            return f"{where}: kind is {fault['ctx']['tag']!r}; allowed: {allowed}."
        case "union_tag_not_found":
            allowed = ", ".join(map(repr, KINDS[str(fault["loc"][0])]))
            return f"{where}: kind is missing; allowed: {allowed}."
        case _:
            said = f"{fault['msg'][0].lower()}{fault['msg'][1:]}"
            return without_password(f"{where} is {fault['input']!r}: {said}.")


def _near(loc: tuple[int | str, ...]) -> str:
    """Return a hint at the known key that is nearest to the last one of ``loc``."""
    known = {name for section in Section.__subclasses__() for name in section.model_fields}
    close = difflib.get_close_matches(str(loc[-1]), sorted(known), n=1)
    return f" Did you mean {close[0]}?" if close else " Remove it, or correct its spelling."


def _place(loc: tuple[int | str, ...]) -> Iterator[str]:
    """Return the keys as in the file. A union's tag is no key of the file."""
    for depth, key in enumerate(loc):
        if depth == 1 and key in KINDS.get(str(loc[0]), ()):
            continue
        yield f"item {key + 1}" if isinstance(key, int) else key
