"""The policy's hooks, run with a time limit. Their output is stored beside the recording."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from canary.environment import HOOK_PLACEHOLDERS, Hook, Hooks
from canary.errors import HookError
from canary.rollout.output import Output, tail

GRACE = 5.0
"""Seconds between asking a command's processes to end and ending them."""
HASTE = 0.5
"""The same, when canary itself has been told to stop."""
PREFIX = "CANARY_"


class Commands:
    """Runs hooks as argument lists, not shell lines, each in its own process group."""

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
    """Run a hook; return a sentence about its failure, or an empty string."""
    known = {**dict.fromkeys(HOOK_PLACEHOLDERS, ""), **values}
    command = [word.format_map(known) for word in hook.command]
    environment = os.environ | {f"{PREFIX}{key.upper()}": value for key, value in values.items()}
    try:
        status = _wait(command, environment, hook.timeout, log)
    except subprocess.TimeoutExpired:
        return (
            f"The {name} hook did not end within {hook.timeout:g} s; it was stopped{_ending(log)}"
        )
    except OSError as error:
        return f"The {name} hook could not be started: {error}"
    return f"The {name} hook ended with status {status}{_ending(log)}" if status else ""


def _wait(command: list[str], environment: Mapping[str, str], timeout: float, log: Path) -> int:
    output = Output(log)
    try:
        process = subprocess.Popen(
            _mortal(command),
            stdin=subprocess.DEVNULL,
            stdout=output.pipe,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches canary alone, which then ends the whole group
        )
    finally:
        output.started()
    try:
        status = process.wait(timeout)
    except Exception:
        _end(process, GRACE)
        raise
    except BaseException:  # canary itself was told to stop, and must make traffic safe
        _end(process, HASTE)
        raise
    else:
        _end(process, GRACE)
        return status
    finally:
        output.close()


def _mortal(command: list[str]) -> list[str]:
    """Return a command that is stopped when canary is killed."""
    setpriv = shutil.which("setpriv")
    if setpriv is None or shutil.which(command[0]) is None:  # starting it reports that
        return command
    return [setpriv, "--pdeathsig", "TERM", "--", *command]


def _end(process: subprocess.Popen[bytes], grace: float) -> None:
    """End the whole process group of the command, even after the command itself has ended."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        until = time.monotonic() + grace
        while _lives(process) and time.monotonic() < until:
            time.sleep(0.02)


def _lives(process: subprocess.Popen[bytes]) -> bool:
    process.poll()  # one that was never waited for would count as alive
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _ending(log: Path) -> str:
    end = tail(log)
    return f"; its output is in {log} and ends with:{end}" if end else " and printed nothing"
