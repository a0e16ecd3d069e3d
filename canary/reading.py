"""Read files that a stranger may have written: never more than their kind can hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEGABYTE = 1_000_000


def read_text(path: Path, megabytes: int) -> str:
    """Return the text of a file of at most so many megabytes.

    Raises:
        OSError: it cannot be read, or is larger. A link to a device may have no end.
        UnicodeDecodeError: it is not text.
    """
    most = megabytes * MEGABYTE
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(f"it is larger than {megabytes} MB")
    return content.decode("utf-8")


def read_json(text: str, refuse: Callable[[str], float] | None = None) -> Any:
    """Return the document in JSON ``text``; ``refuse`` gets NaN and infinities.

    Raises:
        ValueError: it is not JSON, is nested too deeply, or has a number of too many digits.
    """
    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply to be read") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
