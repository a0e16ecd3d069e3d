"""Show long steps and their durations on stderr."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

console = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def step(text: str) -> Iterator[Callable[[str], None]]:
    """Show ``text`` while the step runs, and its duration afterwards.

    The yielded function shows a detail: behind the text on a terminal, otherwise on its own line.
    """
    started = time.monotonic()
    if console.is_terminal:
        with console.status(text) as status:
            yield lambda part: status.update(f"{text}: {part}")
    else:
        console.print(f"{text} ...")
        yield lambda part: console.print(f"  {part}", markup=False)
    console.print(f"{text}: {time.monotonic() - started:.1f} s")


def say(text: str) -> None:
    console.print(text)
