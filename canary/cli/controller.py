"""The files by which other commands find a canary's controller, and replace it after a kill.

The controller locks ``controller.lock`` while it runs. The kernel unlocks the file however the
process ends. So one canary never has two controllers, and no clock decides whether one is dead.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from canary.cli.background import ENVIRONMENT, write_private
from canary.errors import RecordingError, StateError
from canary.reading import CANARY, SMALL, open_file, read_text
from canary.rollout.checkpoint import (
    Checkpoint,
    checkpoint_from_text,
    checkpoint_of,
    checkpoint_to_text,
)
from canary.rollout.context import Context

CHECKPOINT, LOCK, OUTCOME = "checkpoint.json", "controller.lock", "outcome.json"
TOLD = "told"
TRIES, PAUSE = 20, 0.05
"""A command that checks whether a controller is running holds the lock for a moment."""


class Controller:
    """The controller of the canary in ``directory``: this process, another one, or a dead one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._checkpoint = directory / CHECKPOINT
        self._lock = directory / LOCK

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock: this process is the controller.

        Raises:
            StateError: another process is the controller, or the files are from another machine.
        """
        self._require_file()
        with self._lock.open("a+", encoding="utf-8") as file:
            for attempt in range(TRIES):
                if attempt:
                    time.sleep(PAUSE)
                if _locked(file):
                    break
            else:
                raise StateError(
                    f"The controller of canary {self._directory.name} is running (process "
                    f"{self.process()}), so there is nothing to resume. To follow it: canary attach"
                )
            self._refuse_elsewhere()
            self._lock.write_text(json.dumps(self._here()), encoding="utf-8")
            yield

    def _require_file(self) -> None:
        try:
            open_file(self._lock).close()
        except FileNotFoundError:
            return
        except OSError as error:
            raise StateError(f"{self._lock} cannot be opened: {error}. Remove it") from error

    def process(self) -> int | None:
        """Return the process that is the controller, or None if none is running."""
        try:
            with open_file(self._lock) as file:
                return None if _locked(file) else int(json.load(file)["process"])
        except (OSError, ValueError, KeyError, TypeError):  # none yet, or it is being written
            return None

    @property
    def unfinished(self) -> bool:
        """Return whether there is a canary to resume."""
        return self._checkpoint.exists()

    @property
    def missing(self) -> bool:
        """Return whether the canary never had a controller that other commands can find."""
        return not self._lock.exists() and not self.unfinished

    def save(self, context: Context) -> None:
        """Store the canary's progress."""
        self.write(checkpoint_of(context))

    def write(self, checkpoint: Checkpoint) -> None:
        """Replace the checkpoint as a whole. Only its owner may read it: it may hold secrets."""
        temporary = self._checkpoint.with_name(f"{CHECKPOINT}.new")
        write_private(temporary, checkpoint_to_text(checkpoint))
        temporary.replace(self._checkpoint)

    def load(self) -> Checkpoint | None:
        """Return the stored progress, or None if the canary has ended."""
        try:
            text = read_text(self._checkpoint, CANARY)
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise RecordingError(f"{self._checkpoint} cannot be read: {error}") from error
        return checkpoint_from_text(text, str(self._checkpoint))

    def told(self) -> bool:
        """Record that the subscribers are told now; return whether that was recorded before."""
        try:
            (self._directory / TOLD).touch(exist_ok=False)
        except FileExistsError:
            return True
        except OSError:  # a full disk must not hide a verdict
            return False
        return False

    def forget(self) -> None:
        """Remove the files that only a running canary needs."""
        for name in (CHECKPOINT, ENVIRONMENT, TOLD):
            (self._directory / name).unlink(missing_ok=True)

    def _here(self) -> dict[str, object]:
        directory = str(self._directory.resolve())
        return {"process": os.getpid(), "host": socket.gethostname(), "directory": directory}

    def _refuse_elsewhere(self) -> None:
        """Refuse a copy of the files: the controller of the original may be running."""
        text = read_text(self._lock, SMALL)
        if not text:
            return
        try:
            known = json.loads(text)
            where = (known["host"], known["directory"])
        except (ValueError, KeyError, TypeError):
            return  # half-written: its writer is dead, because the file is not locked
        here = self._here()
        if where != (here["host"], here["directory"]):
            raise StateError(
                f"Canary {self._directory.name} runs on {where[0]} in {where[1]}, and these are "
                "copies of its files. Resume it there"
            )


def _locked(file: IO[Any]) -> bool:
    """Lock a file until it is closed; return whether it was free."""
    import fcntl  # not on every system

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def find(canaries: Path, name: str | None, wanted: Callable[[Controller], bool]) -> Path:
    """Return a canary's directory: of the named one, else the newest wanted one, else the newest.

    Raises:
        RecordingError: there is none.
    """
    if name is not None:
        if not (canaries / name).is_dir():
            raise RecordingError(f"There is no canary {name} in {canaries}")
        return canaries / name
    known = sorted((path for path in canaries.glob("*") if path.is_dir()), reverse=True)
    if not known:
        raise RecordingError(f"No canary has run here: {canaries} is empty")
    return next((path for path in known if wanted(Controller(path))), known[0])


def alive(controller: Controller) -> bool:
    """Return whether the canary has a running controller."""
    return controller.process() is not None


def left(controller: Controller) -> bool:
    """Return whether the canary's controller was killed."""
    return controller.unfinished and not alive(controller)
