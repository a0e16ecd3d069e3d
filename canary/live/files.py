"""The files that a running canary writes for its page, in ``live/`` beside its recording.

A canary appends events and judgements, and replaces the recording, at every interim look. The page
only reads these files, so it can neither slow a canary nor stop it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

from canary.errors import RecordingError
from canary.model import Event, Judgement, Recording
from canary.reading import CANARY, SMALL, read_json, read_text
from canary.recording import load_recording, recording_to_text

DIRECTORY = "live"
EVENTS, JUDGEMENTS, RECORDING = "events.jsonl", "judgements.jsonl", "recording.json"
OUTCOME = "outcome.json"

Line = TypeVar("Line", Event, Judgement)
_EVENT, _JUDGEMENT = TypeAdapter(Event), TypeAdapter(Judgement)


class LiveFiles:
    """An observer that writes events and looks. A full disk ends the page, not the canary."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / DIRECTORY
        self._broken = False

    def begin_with(self, events: Sequence[Event], judgements: Sequence[Judgement]) -> None:
        """Begin with these: an earlier process may have been killed in the middle of a line."""
        self._quietly(lambda: self._replace(EVENTS, [_EVENT.dump_python(e) for e in events]))
        judged = [_JUDGEMENT.dump_python(one, mode="json") for one in judgements]
        self._quietly(lambda: self._replace(JUDGEMENTS, judged))

    def event(self, event: Event) -> None:
        self._quietly(lambda: self._append(EVENTS, _EVENT.dump_python(event, mode="json")))

    def look(self, recording: Recording, judgements: Sequence[Judgement]) -> None:
        self._quietly(lambda: self._look(recording, judgements[-1]))

    def _look(self, recording: Recording, judgement: Judgement) -> None:
        # The recording first: a judgement is never shown without its data.
        self._write(RECORDING, recording_to_text(recording))
        self._append(JUDGEMENTS, _JUDGEMENT.dump_python(judgement, mode="json"))

    def _replace(self, name: str, documents: Sequence[Any]) -> None:
        self._write(name, "".join(json.dumps(document) + "\n" for document in documents))

    def _write(self, name: str, text: str) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        temporary = self._directory / f"{name}.new"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(self._directory / name)

    def _append(self, name: str, document: Any) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(document) + "\n")

    def _quietly(self, write: Callable[[], None]) -> None:
        if self._broken:
            return  # half a line may be there; more would make it unreadable
        try:
            write()
        except (OSError, RecordingError):
            self._broken = True


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A canary, read from its files.

    Attributes:
        recording: with all events so far; None before the first judgement.
        outcome: as ``outcome.json`` holds it; None while the canary runs.
        changed: when a file changed last, in seconds since the epoch.
    """

    name: str
    events: tuple[Event, ...]
    judgements: tuple[Judgement, ...]
    recording: Recording | None
    outcome: dict[str, Any] | None
    changed: float

    @property
    def version(self) -> str:
        """Text that changes when the page changes."""
        over = self.outcome is not None
        return f"{self.name} {len(self.events)} {len(self.judgements)} {over}"


def newest(canaries: Path) -> Path | None:
    """Return the directory of the newest canary; names sort by time."""
    return max((path for path in canaries.glob("*") if path.is_dir()), default=None)


def written(directory: Path) -> tuple[list[Event], list[Judgement]]:
    """Return the events and judgements written so far, in whole lines."""
    live = directory / DIRECTORY
    return list(_lines(live / EVENTS, _EVENT)), list(_lines(live / JUDGEMENTS, _JUDGEMENT))


def read(directory: Path) -> Snapshot:
    """Return the present state of the canary in ``directory``."""
    events, judgements = written(directory)
    recording = None
    if judgements:
        recording = load_recording(directory / DIRECTORY / RECORDING)
        recording = replace(recording, events=tuple(events))
    return Snapshot(
        name=directory.name,
        events=tuple(events),
        judgements=tuple(judgements),
        recording=recording,
        outcome=_outcome(directory / OUTCOME),
        changed=_changed(directory),
    )


def _lines(path: Path, adapter: TypeAdapter[Line]) -> Iterator[Line]:
    """Yield the whole lines of a file; the last one may still be being written."""
    if not path.exists():
        return
    whole, _, _ = read_text(path, CANARY).rpartition("\n")
    for line in whole.splitlines():
        yield adapter.validate_python(json.loads(line))


def _outcome(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = read_json(read_text(path, SMALL))
    except (OSError, ValueError):  # it does not exist yet, or is being written
        return None
    return found


def _changed(directory: Path) -> float:
    files = [directory, *(directory / DIRECTORY).glob("*.jsonl"), directory / OUTCOME]
    return max(path.stat().st_mtime for path in files if path.exists())
