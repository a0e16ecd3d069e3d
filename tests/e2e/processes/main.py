"""Run the demonstration with processes on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console

from tests.e2e.processes.store import FAILURES
from tests.e2e.processes.store import reason as reason_of
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from tests.e2e.processes.stage import Stage

CANNOT = 2
RUN = ".run/processes"
ANSIBLE = {"ANSIBLE_HOME": str(ROOT / RUN / "ansible"), "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
"""Ansible reads both when it is imported. A home may be read-only, and Ansible ignores the
configuration in a directory that everybody may write to, such as a mount of a container."""
console = Console(highlight=False, soft_wrap=True)


def left_out(reason: str) -> str:
    """Return the first line of output: the omitted parts of the demonstration, and the reason."""
    return (
        f"No hosts are booted here: {reason}. So SSH, systemd, the roles that set up hosts, "
        "alarms and live panels are left out. All else runs as processes of this machine."
    )


class Processes:
    """The processes, with the interface that the demonstration uses."""

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
        """Do nothing: the load ends with all other processes."""

    def pages(self) -> tuple[str, ...]:
        return (f"All processes end now; what stays is in {RUN}.",)


def tell_on_processes(reason: str, story: Callable[[Processes], None]) -> int:
    """Run the demonstration; return its exit status."""
    console.print(left_out(reason))
    if sys.platform != "linux":
        console.print("The demonstration needs Linux. What runs anywhere: canary try")
        return CANNOT
    os.environ.update(ANSIBLE)
    from tests.e2e.processes.stage import MissingError, stage

    try:
        with stage() as made:
            story(Processes(made))
    except MissingError as error:
        console.print(str(error))
        return CANNOT
    except KeyboardInterrupt:
        console.print(f"Stopped. All processes have ended; logs: {RUN}/*.log")
        return 130
    except FAILURES as error:
        console.print(f"The demonstration did not go as it should: {reason_of(error)}")
        console.print(f"Logs: {RUN}/*.log")
        return 1
    return 0
