"""The files by which a canary's controller is found, and followed by another one after a kill.

``controller.lock`` is locked while its process lives; the kernel unlocks it, however that ends. So
two controllers of one canary never run, and no clock decides whether the first one is dead.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from canary.cli.background import ENVIRONMENT, write_private
from canary.errors import RecordingError, StateError
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
"""Somebody who looks whether a controller lives holds the lock for a moment."""


class Controller:
    """The controller of the canary in ``directory``, which may be another process or dead."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._checkpoint = directory / CHECKPOINT
        self._lock = directory / LOCK

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the controller.

        Raises:
            StateError: another process is, or it was one of another machine.
        """
        with self._lock.open("a+", encoding="utf-8") as file:
            for attempt in range(TRIES):
                if attempt:
                    time.sleep(PAUSE)
                if _locked(file):
                    break
            else:
                raise StateError(
                    f"The controller of canary {self._directory.name} is alive (process "
                    f"{self.process()}), so nothing has to go on. To follow it: canary attach"
                )
            self._refuse_elsewhere()
            self._lock.write_text(json.dumps(self._here()), encoding="utf-8")
            yield

    def process(self) -> int | None:
        """Return the process that is the controller, or None if none is alive."""
        try:
            with self._lock.open("r", encoding="utf-8") as file:
                return None if _locked(file) else int(json.load(file)["process"])
        except (OSError, ValueError, KeyError, TypeError):  # none yet, or it is being written
            return None

    @property
    def unfinished(self) -> bool:
        """Return whether there is something to go on with."""
        return self._checkpoint.exists()

    @property
    def missing(self) -> bool:
        """Return whether it never had a controller that others can find."""
        return not self._lock.exists() and not self.unfinished

    def save(self, context: Context) -> None:
        """Store how far the canary is."""
        self.write(checkpoint_of(context))

    def write(self, checkpoint: Checkpoint) -> None:
        """Replace the checkpoint as a whole. It may hold what the release's options hold."""
        temporary = self._checkpoint.with_name(f"{CHECKPOINT}.new")
        write_private(temporary, checkpoint_to_text(checkpoint))
        temporary.replace(self._checkpoint)

    def load(self) -> Checkpoint | None:
        """Return how far the canary is, or None if it has ended."""
        try:
            text = self._checkpoint.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise RecordingError(f"{self._checkpoint} cannot be read: {error}") from error
        return checkpoint_from_text(text, str(self._checkpoint))

    def told(self) -> bool:
        """Note that the subscribers are told now; return whether that was noted before."""
        try:
            (self._directory / TOLD).touch(exist_ok=False)
        except FileExistsError:
            return True
        except OSError:  # a full disk must not hide a verdict
            return False
        return False

    def forget(self) -> None:
        """Remove what only a running canary needs."""
        for name in (CHECKPOINT, ENVIRONMENT, TOLD):
            (self._directory / name).unlink(missing_ok=True)

    def _here(self) -> dict[str, object]:
        directory = str(self._directory.resolve())
        return {"process": os.getpid(), "host": socket.gethostname(), "directory": directory}

    def _refuse_elsewhere(self) -> None:
        """Refuse a copy of the files: the controller of the original may be alive."""
        text = self._lock.read_text(encoding="utf-8")
        if not text:
            return
        try:
            known = json.loads(text)
            where = (known["host"], known["directory"])
        except (ValueError, KeyError, TypeError):
            return  # torn: its writer is dead, because it is not locked
        here = self._here()
        if where != (here["host"], here["directory"]):
            raise StateError(
                f"Canary {self._directory.name} runs on {where[0]} in {where[1]}, and these are "
                "copies of its files. Go on with it there"
            )


def _locked(file: IO[str]) -> bool:
    """Lock a file until it is closed; return whether it was free."""
    import fcntl  # not on every system

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def find(canaries: Path, name: str | None, wanted: Callable[[Controller], bool]) -> Path:
    """Return the directory of a canary: the named one, the newest that is wanted, or the newest.

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
    """Return whether the canary runs."""
    return controller.process() is not None


def left(controller: Controller) -> bool:
    """Return whether the canary was left by a controller that was killed."""
    return controller.unfinished and not alive(controller)
