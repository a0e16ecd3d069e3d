"""Tell the story of the demonstration on processes of this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable

from rich.console import Console

from tests.e2e.processes.stage import MissingError, Stage, stage

CANNOT = 2
console = Console(highlight=False, soft_wrap=True)


def left_out(reason: str) -> str:
    """Return the first line: what the demonstration leaves out, and why."""
    return (
        f"No hosts are booted here: {reason}. So SSH, systemd, the roles that set up hosts, "
        "alarms and live panels are left out. All else runs as processes of this machine."
    )


class Processes:
    """The stage in the words of the story."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.environment = stage.environment

    @property
    def locust(self) -> str:
        return self._stage.locust

    def set_up(self) -> None:
        console.print("\n[bold cyan]==> An environment: seven hosts, each a loopback address[/]")
        missing = self._stage.start()
        if missing:
            console.print(f"{'; '.join(missing)}.")
        for line in self._stage.lines():
            console.print(line)

    def start_load(self) -> None:
        self._stage.start_load()
        console.print(f"Locust sends {self._stage.users} requests a second: {self.locust}")

    def stop_load(self) -> None:
        """The load ends with all other processes."""

    def pages(self) -> tuple[str, ...]:
        return ("All processes end now; nothing is left but .run/processes.",)


def tell_on_processes(reason: str, story: Callable[[Processes], None]) -> int:
    """Tell the story; return the exit status."""
    console.print(left_out(reason))
    if sys.platform != "linux":
        console.print("The demonstration needs Linux. What runs anywhere: canary try")
        return CANNOT
    try:
        with stage() as made:
            story(Processes(made))
    except MissingError as error:
        console.print(str(error))
        return CANNOT
    return 0
