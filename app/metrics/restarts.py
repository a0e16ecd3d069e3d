"""Restarts of the service, stored in the state directory, which outlives the service.

The first start of a release is a deployment; each later one is a restart. If the disk of the state
directory is full, the run directory, which is in memory, has what is newer: a service that cannot
store its restarts still starts, and its restarts still count.
"""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from app.files import write_whole
from app.settings import Settings

log = logging.getLogger("shop")


class Starts(msgspec.Struct):
    """``published`` is the number of ``restarts`` that a publisher has taken."""

    release: str
    restarts: int = 0
    published: int = 0


def note_start(settings: Settings) -> None:
    """Record a start of this release."""
    before = _load(settings)
    if before and before.release == settings.release:
        before.restarts += 1
        _save(settings, before)
    else:
        _save(settings, Starts(settings.release))


def take_restarts(settings: Settings) -> int:
    """Return the unpublished restarts, and mark them as published."""
    starts = _load(settings)
    if starts is None or starts.restarts == starts.published:
        return 0
    taken = starts.restarts - starts.published
    starts.published = starts.restarts
    _save(settings, starts)
    return taken


def _lasting(settings: Settings) -> Path:
    return settings.state_directory / "starts.json"


def _spare(settings: Settings) -> Path:
    return settings.run_directory / "starts.json"


def _load(settings: Settings) -> Starts | None:
    """Return the newest record. A spare one exists only while the lasting one is older."""
    for path in (_spare(settings), _lasting(settings)):
        try:
            return msgspec.json.decode(path.read_bytes(), type=Starts)
        except (OSError, msgspec.DecodeError):  # the first start, or a truncated file
            continue
    return None


def _save(settings: Settings, starts: Starts) -> None:
    content = msgspec.json.encode(starts)
    try:
        write_whole(_lasting(settings), content)
    except OSError as error:  # the disk is full or read-only
        log.warning("restarts are kept in memory only: %s", error)
        write_whole(_spare(settings), content)
    else:
        _spare(settings).unlink(missing_ok=True)
