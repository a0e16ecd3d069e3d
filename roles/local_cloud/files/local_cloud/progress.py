"""Say on stderr what takes time, and how long it took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

console = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Show that ``text`` is being done; afterwards, how long it took."""
    started = time.monotonic()
    if console.is_terminal:
        with console.status(text):
            yield
    else:
        console.print(f"{text} ...")
        yield
    console.print(f"{text}: {time.monotonic() - started:.1f} s")


def say(text: str) -> None:
    console.print(text)
