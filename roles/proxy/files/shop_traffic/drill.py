"""A drill: HAProxy adds errors or a delay to the responses of one colour.

HAProxy's variables control it (``drill.j2``). They are gone after a start or a reload, so HAProxy
itself begins without a drill.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shop_traffic.config import RefusedError
from shop_traffic.runtime import Runtime

PARTS = 1_000_000
"""HAProxy's variables are whole numbers, so shares are in millionths."""
LONGEST_DELAY = 10_000
OFF = "off"
VALUE = re.compile(r"value=<(.*)>")


@dataclass(frozen=True, slots=True)
class Drill:
    """What the proxy adds.

    ``errors`` is the share of GET, HEAD and OPTIONS requests that get 500 instead of the server's
    response, with ``writes`` of all requests. ``delay`` is in milliseconds, for every response.
    """

    errors: float = 0.0
    delay: int = 0
    writes: bool = False

    def checked(self) -> Drill:
        if not 0 <= self.errors <= 1:
            raise RefusedError(f"A share of errors of {self.errors:g} is not between 0 and 1.")
        if not 0 <= self.delay <= LONGEST_DELAY:
            raise RefusedError(f"A delay of {self.delay} ms is not between 0 and {LONGEST_DELAY}.")
        if not self.errors and not self.delay:
            raise RefusedError("A drill adds errors or a delay: --errors 0.03, or --delay 200.")
        return self


def start(runtime: Runtime, colour: str, drill: Drill) -> None:
    """Add errors or a delay to the responses of ``colour``; the colour is set last."""
    errors = round(PARTS * drill.errors)
    _set(
        runtime,
        f"proc.drill_reads int({errors})",
        f"proc.drill_writes int({errors if drill.writes else 0})",
        f"proc.drill_delay int({drill.delay})",
        f"proc.drill_colour str({colour})",
    )
    if running(runtime) != (colour, drill):
        raise RefusedError("HAProxy did not keep the variables of the drill.")


def stop(runtime: Runtime) -> None:
    """End the drill, if there is one."""
    if running(runtime) is not None:
        _set(runtime, f"proc.drill_colour str({OFF})")
        if running(runtime) is not None:
            raise RefusedError("HAProxy did not end the drill.")


def running(runtime: Runtime) -> tuple[str, Drill] | None:
    """Return the colour and what HAProxy adds to its responses now."""
    colour = _get(runtime, "colour")
    if colour in ("", OFF):
        return None
    reads, writes, delay = (int(_get(runtime, name) or 0) for name in ("reads", "writes", "delay"))
    return colour, Drill(reads / PARTS, delay, writes=writes > 0)


def _get(runtime: Runtime, name: str) -> str:
    found = VALUE.search(runtime.ask(f"get var proc.drill_{name}"))
    return found[1] if found else ""


def _set(runtime: Runtime, *values: str) -> None:
    # HAProxy 2.6 sets variables in its experimental mode only.
    runtime.command(["experimental-mode on", *(f"set var {value}" for value in values)])
