"""Libraries that only some policies need, and which ``pip`` installs as extras."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from canary.errors import ExtraError


@contextmanager
def needs(extra: str, what: str) -> Iterator[None]:
    """Say which extra to install if an import fails because a library is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "canary":
            raise
        raise ExtraError(
            f"{what} needs {missing}, which is not installed. Type: "
            f"pip install 'cart-canary[{extra}]'"
        ) from error
