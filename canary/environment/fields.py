"""Field types of the environment's sections, and the placeholders that they may hold."""

from __future__ import annotations

import string
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# Placeholders of a hook's command; the rollout fills them in.
HOOK_PLACEHOLDERS = frozenset(
    {
        "artifact",
        "baseline",
        "candidate",
        "colour",
        "commit",
        "directory",
        "environment",
        "id",
        "live",
        "release",
        "sha256",
        "verdict",
    }
)
DIMENSION_PLACEHOLDERS = frozenset({"colour", "environment", "instance"})


def placeholders(template: str) -> set[str]:
    """Return the names in braces of ``template``.

    >>> sorted(placeholders("s3://{bucket}/{key}"))
    ['bucket', 'key']
    """
    try:
        return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise ValueError(
            f"{template!r} has unbalanced braces ({error}); write {{{{ for {{"
        ) from None


def known_placeholders(template: str, allowed: frozenset[str]) -> str:
    """Return ``template``, or refuse it because it names something that is not allowed."""
    unknown = placeholders(template) - allowed
    if unknown:
        names = ", ".join("{" + name + "}" for name in sorted(unknown))
        usable = ", ".join("{" + name + "}" for name in sorted(allowed))
        raise ValueError(f"{template!r} names {names}, which does not exist; use any of {usable}")
    return template


def _hook_word(word: str) -> str:
    return known_placeholders(word, HOOK_PLACEHOLDERS)


def _dimension_value(value: str) -> str:
    return known_placeholders(value, DIMENSION_PLACEHOLDERS)


def kind_of_word(value: Any) -> Any:
    """Return a section of which only the kind was written, as ``state: file``."""
    return {"kind": value} if isinstance(value, str) else value


NAME = r"^[a-z][a-z0-9-]{0,30}$"
Name = Annotated[str, Field(pattern=NAME)]
Text = Annotated[str, Field(min_length=1)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
HookWord = Annotated[str, AfterValidator(_hook_word)]
DimensionValue = Annotated[str, AfterValidator(_dimension_value)]


class Section(BaseModel):
    """A section of the file. A misspelt key is refused: a typo must not mean the default."""

    model_config = ConfigDict(extra="forbid", frozen=True)
