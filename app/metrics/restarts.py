"""Restarts of the service, stored in the state directory, which outlives the service.

The first start of a release is a deployment; each later one is a restart.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from app.files import write_whole


class Starts(msgspec.Struct):
    """``published`` is the number of ``restarts`` that a publisher has taken."""

    release: str
    restarts: int = 0
    published: int = 0


def note_start(directory: Path, release: str) -> None:
    """Record a start of this release."""
    before = _load(directory)
    if before and before.release == release:
        before.restarts += 1
        _save(directory, before)
    else:
        _save(directory, Starts(release))


def take_restarts(directory: Path) -> int:
    """Return the unpublished restarts, and mark them as published."""
    starts = _load(directory)
    if starts is None or starts.restarts == starts.published:
        return 0
    taken = starts.restarts - starts.published
    starts.published = starts.restarts
    _save(directory, starts)
    return taken


def _path(directory: Path) -> Path:
    return directory / "starts.json"


def _load(directory: Path) -> Starts | None:
    try:
        return msgspec.json.decode(_path(directory).read_bytes(), type=Starts)
    except (OSError, msgspec.DecodeError):  # the first start, or a truncated file
        return None


def _save(directory: Path, starts: Starts) -> None:
    write_whole(_path(directory), msgspec.json.encode(starts))
