"""The policy's commands, run with a time limit; their output is kept beside the recording."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from canary.environment import HOOK_PLACEHOLDERS, Hook, Hooks
from canary.errors import HookError

TAIL_LINES = 15
GRACE = 5.0
PREFIX = "CANARY_"


class Commands:
    """Runs argument lists, never shell lines, each in a process group of its own."""

    def __init__(self, hooks: Hooks, directory: Path) -> None:
        self._hooks = hooks
        self._directory = directory

    def has(self, name: str) -> bool:
        return self._hook(name) is not None

    def run(self, name: str, values: Mapping[str, str]) -> str:
        hook = self._hook(name)
        if hook is None:
            return ""
        log = self._directory / f"hook-{name}-{values.get('colour', '')}.log"
        complaint = _execute(name, hook, values, log)
        if complaint and hook.on_failure == "abort":
            raise HookError(complaint)
        return complaint

    def _hook(self, name: str) -> Hook | None:
        hook: Hook | None = getattr(self._hooks, name)
        return hook


def _execute(name: str, hook: Hook, values: Mapping[str, str], log: Path) -> str:
    """Run a hook; return nothing if it did what it should, else a sentence."""
    known = {**dict.fromkeys(HOOK_PLACEHOLDERS, ""), **values}
    command = [word.format_map(known) for word in hook.command]
    environment = os.environ | {f"{PREFIX}{key.upper()}": value for key, value in values.items()}
    try:
        status = _wait(command, environment, hook.timeout, log)
    except subprocess.TimeoutExpired:
        return f"The {name} hook did not end within {hook.timeout:g} s; it was stopped{_tail(log)}"
    except OSError as error:
        return f"The {name} hook could not be started: {error}"
    return f"The {name} hook ended with status {status}{_tail(log)}" if status else ""


def _wait(command: list[str], environment: Mapping[str, str], timeout: float, log: Path) -> int:
    with log.open("wb") as output:
        process = subprocess.Popen(
            _mortal(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches canary alone, which then ends the whole group
        )
        try:
            return process.wait(timeout)
        finally:
            _end(process)


def _mortal(command: list[str]) -> list[str]:
    """Let a command be stopped when canary is killed, so that it can't meet the next canary's."""
    setpriv = shutil.which("setpriv")
    if setpriv is None or shutil.which(command[0]) is None:  # who starts it says that
        return command
    return [setpriv, "--pdeathsig", "TERM", "--", *command]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing of the command behind, however it was left; silent if it is gone."""
    if process.poll() is not None:
        return
    for number, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    text = "".join(f"\n    {line}" for line in lines)
    return f"; all of its output is in {log}, the end is:{text}" if lines else " and said nothing"
