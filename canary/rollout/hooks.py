"""The policy's hooks, run with a time limit. Their output is stored beside the recording."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from canary.environment import HOOK_PLACEHOLDERS, Hook, Hooks
from canary.errors import HookError
from canary.processes import SILENT, ending, run

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
    environment = {f"{PREFIX}{key.upper()}": value for key, value in values.items()}
    try:
        status = run(command, log, timeout=hook.timeout, environment=environment)
    except subprocess.TimeoutExpired:
        return f"The {name} hook did not end within {hook.timeout:g} s; it was stopped{ending(log)}"
    except OSError as error:
        return f"The {name} hook could not be started: {error}"
    if not status:
        return ""
    end = ending(log)
    by_hand = f". To see why, type it by hand: {shlex.join(command)}" if end == SILENT else ""
    return f"The {name} hook ended with status {status}{end}{by_hand}"
