"""One result of the examination."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a check ended. Only a problem makes the command fail."""

    OK = "ok"
    UNKNOWN = "unknown"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, in a sentence, and what to type if it is not in order.

    Attributes:
        blocking: a problem that site.yml cannot mend, and that would stop it half-way.
    """

    check: str
    level: Level
    sentence: str
    command: str = ""
    blocking: bool = False


def ok(check: str, sentence: str) -> Finding:
    return Finding(check, Level.OK, sentence)


def unknown(check: str, sentence: str, command: str = "") -> Finding:
    return Finding(check, Level.UNKNOWN, sentence, command)


def problem(check: str, sentence: str, command: str, *, blocking: bool = False) -> Finding:
    return Finding(check, Level.PROBLEM, sentence, command, blocking)
