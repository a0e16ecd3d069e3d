"""Starts a canary's controller so that it outlives the terminal: as a systemd unit, if possible.

systemd starts the controller again after a kill, but not after an exit or a stop signal. Without
systemd the controller is a detached process, and the user is told what that lacks.
"""

from __future__ import annotations

import getpass
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from canary.errors import CanaryError

ENVIRONMENT, LOG = "environment", "controller.log"
BOOTED = Path("/run/systemd/system")
LINGER = Path("/var/lib/systemd/linger")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PRIVATE = 0o600
PROPERTIES = (
    "Type=exec",
    "Restart=on-abnormal",
    "RestartSec=500ms",
    "KillMode=mixed",
    "TimeoutStopSec=15min",
)
NO_SYSTEMD = (
    "systemd does not run here, so nothing starts the controller again if it is killed. If that "
    "happens, resume the canary before the lease of the weight ends"
)


@dataclass(frozen=True, slots=True)
class Service:
    """A controller that was started.

    Attributes:
        unit: the name of the unit, empty without systemd.
        lost: sentences about what this machine cannot do for the controller.
    """

    unit: str
    lost: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"as {self.unit}" if self.unit else "as a process of its own"


def start(directory: Path, environment: str, environ: Mapping[str, str] = os.environ) -> Service:
    """Start the controller of the canary in ``directory``, whose checkpoint is written."""
    words = ["resume", directory.name, "--policy", str(directory / "policy.yml")]
    command = [sys.executable, "-m", "canary", *words]
    unit = f"canary-{environment}-{directory.name}.service"
    manager = _manager(environ)
    if manager is None:
        _process(directory, command)
        again = f"canary resume {directory.name} --env {environment}"
        return Service("", (f"{NO_SYSTEMD}: {again}",))
    write_environment(directory / ENVIRONMENT, environ)
    _systemd(manager, directory, unit, command)
    return Service(unit, _until_logout(manager))


def _manager(environ: Mapping[str, str]) -> list[str] | None:
    """Return the command that starts units, or None if there is no systemd to ask."""
    if not BOOTED.is_dir() or shutil.which("systemd-run") is None:
        return None
    if os.getuid() == 0:
        return ["systemd-run"]
    question = ["systemctl", "--user", "show-environment"]
    asked = subprocess.run(question, capture_output=True, check=False, env=dict(environ))
    return ["systemd-run", "--user"] if asked.returncode == 0 else None


def _until_logout(manager: Sequence[str]) -> tuple[str, ...]:
    user = getpass.getuser()
    if "--user" not in manager or (LINGER / user).exists():
        return ()
    return (
        f"The canary is stopped and rolled back when {user} logs out. To prevent that: loginctl "
        f"enable-linger {user}",
    )


def unit_command(
    manager: Sequence[str], unit: str, directory: Path, working: Path, command: Sequence[str]
) -> list[str]:
    """Return the command that starts a unit; its files are in ``directory``."""
    properties = (
        *PROPERTIES,
        f"WorkingDirectory={working}",
        f"EnvironmentFile={directory / ENVIRONMENT}",
        f"StandardOutput=append:{directory / LOG}",
        f"StandardError=append:{directory / LOG}",
    )
    words = [*manager, "--quiet", "--collect", f"--unit={unit}"]
    words += [f"--description=Canary {directory.name}"]
    words += [f"--property={one}" for one in properties]
    return [*words, "--", *command]


def _systemd(manager: Sequence[str], directory: Path, unit: str, command: Sequence[str]) -> None:
    words = unit_command(manager, unit, directory.resolve(), Path.cwd(), command)
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CanaryError(f"systemd did not start {unit}: {done.stderr.strip()}")


def _process(directory: Path, command: Sequence[str]) -> None:
    with (directory / LOG).open("ab") as log:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # the terminal's signals do not reach it
        )


def write_environment(path: Path, environ: Mapping[str, str]) -> None:
    """Write the variables of this shell, because hooks may need any of them.

    They may hold secrets. So only the owner may read the file, and it is removed when the canary
    ends. Variables that systemd could not read are left out.
    """
    lines = [
        f"{name}={_quoted(value)}"
        for name, value in environ.items()
        if VARIABLE.fullmatch(name) and value.isprintable()
    ]
    write_private(path, "\n".join(lines) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _quoted(value: str) -> str:
    """Return a value in the quotes that systemd's EnvironmentFile= expects.

    >>> _quoted('a "b" $c')
    '"a \\\\"b\\\\" \\\\$c"'
    """
    return '"' + re.sub(r'(["\\$`])', r"\\\1", value) + '"'
