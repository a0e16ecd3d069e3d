"""The lock of an environment whose state is in files, and the last change that they recorded.

Two controllers have two sets of files. The records that they share are here, where both can read
them. A record is changed by compare and swap, without a clock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from shop_traffic.config import RefusedError
from shop_traffic.memory import Memory

NOBODY = "none"
NAME = re.compile(r"[\w.+-]{1,64}", re.ASCII)
LONGEST = 200
HOLDER = {"canary": str, "who": str, "since": float, "until": float, "beat": int}
CHANGE = {"canary": str, "who": str}


class Lock:
    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def read(self) -> dict[str, Any]:
        """Return the holder of the lock, and the last recorded change."""
        return {"holder": self._holder(), "last": self.memory.kept("last", CHANGE)}

    def swap(self, expected: str, holder: str) -> dict[str, Any]:
        """Replace the holder if it is the expected one: none, CANARY or CANARY/BEAT."""
        wanted = None if holder == NOBODY else record(holder, HOLDER)
        with self.memory.locked():
            done = expected in names(self._holder())
            if done:
                self.memory.keep("holder", wanted)
            return {"done": done, **self.read()}

    def _holder(self) -> dict[str, Any] | None:
        return self.memory.kept("holder", HOLDER)

    def note(self, change: str) -> dict[str, Any]:
        """Keep the last recorded change."""
        wanted = record(change, CHANGE)
        with self.memory.locked():
            self.memory.keep("last", wanted)
            return self.read()


def names(holder: dict[str, Any] | None) -> tuple[str, ...]:
    """Return the allowed names of a holder."""
    if holder is None:
        return (NOBODY,)
    return holder["canary"], f"{holder['canary']}/{holder['beat']}"


def record(text: str, fields: Mapping[str, type[Any]]) -> dict[str, Any]:
    """Return a record with these fields and no others; refuse anything else."""
    try:
        found = json.loads(text, parse_constant=float)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"{text[:LONGEST]!r} is not JSON ({error}).") from error
    if not isinstance(found, dict) or set(found) != set(fields):
        raise RefusedError(f"{text[:LONGEST]!r} is not a record of {', '.join(fields)}.")
    for name, kind in fields.items():
        value: Any = found[name]
        if not isinstance(value, kind if kind is str else (int, kind)) or not plain(value):
            raise RefusedError(f"{name} is {str(value)[:LONGEST]!r}, not a plain {kind.__name__}.")
    if not NAME.fullmatch(str(found["canary"])) or found["canary"] == NOBODY:
        raise RefusedError(f"{str(found['canary'])[:LONGEST]!r} is not the name of a canary.")
    return found


def plain(value: float | str) -> bool:
    """Return whether a value is short and printable, or a number of reasonable size."""
    if isinstance(value, str):
        return len(value) <= LONGEST and value.isprintable()
    return abs(value) < 1e15  # NaN and infinity are not
