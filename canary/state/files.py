"""An environment's state in files: for one machine, or a directory that several share.

Every write replaces one whole file, and is on the disk before it counts. So two processes and a
crash leave each file as it was before or after a write, and nothing has to be locked to read or
write one. The lock of the environment is on the proxy (``proxy_lock``), because two machines have
two directories.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from canary.environment import Environment
from canary.errors import StateError
from canary.reading import OBJECT, SMALL, read_bytes, read_json, read_text
from canary.state.base import (
    VERSION,
    AlarmChange,
    Live,
    Row,
    SharedLock,
    StoredObject,
    refuse_newer,
)


@dataclasses.dataclass(frozen=True, slots=True)
class _Known:
    """What should be live, and the last change that anybody had recorded before."""

    colour: str
    release: str
    after: str


Found = TypeVar("Found", _Known, Row)
_KNOWN, _ROW = TypeAdapter(_Known), TypeAdapter(Row)


class FileState:
    """The state of one environment, in one directory."""

    def __init__(self, directory: Path, environment: Environment, lock: SharedLock) -> None:
        self._directory = directory
        self._environment = environment
        self._lock = lock
        self.holder = lock.holder
        self.take = lock.take
        self.renew = lock.renew
        self.free = lock.free

    def live(self) -> Live:
        known = self._known()
        if known is None:
            raise StateError(
                f"There is no {self._live}, which says what is live. To install the first release: "
                f"canary deploy REF --env {self._environment.name} --everywhere. If a release runs "
                f"already: {self._naming[0].lower()}{self._naming[1:]}"
            )
        if known.colour not in self._environment.colours:
            allowed = " or ".join(self._environment.colours)
            raise StateError(
                f"{self._live} names the colour {known.colour!r}; it must be {allowed}. "
                f"{self._naming}"
            )
        return Live(known.colour, known.release)

    def set_live(self, live: Live) -> None:
        """Store what is live; whoever decides that has taken note of all changes before."""
        last = self._lock.last()
        known = _Known(live.colour, live.release, last[0] if last else "")
        _write(self._live, _text(known))

    def remember(self, row: Row) -> None:
        """Add a row, then tell the proxy, so that other machines learn of the change."""
        current = not self.missed()
        _write(self._row(row.canary), _text(row))
        if current:
            self._lock.record(row.canary, row.who)

    def history(self, limit: int) -> Sequence[Row]:
        names = sorted((path.stem for path in self._row("").parent.glob("*.json")), reverse=True)
        paths = [self._row(name) for name in names[:limit]]
        found = (_read(path, _ROW, f"Remove it: rm {path}") for path in paths)
        return [row for row in found if row is not None]

    def missed(self) -> str:
        last = self._lock.last()
        if last is None or self._row(last[0]).exists():
            return ""
        known = self._known()
        if known is not None and known.after == last[0]:
            return ""
        return (
            f"The proxy's last change is {last[0]} by {last[1]}, and the files in "
            f"{self._directory} do not have it. Copy the files from there. Or go on without them"
        )

    def alarm_changes(self, limit: int) -> Sequence[AlarmChange]:  # noqa: ARG002 - there are none
        raise StateError(
            "Files hold no changes of alarms: the alarm recorder writes them to the table that "
            "environment: state: alarm_table names, with state: kind: aws"
        )

    def announce(self, subject: str, message: Mapping[str, object]) -> None:
        """Do nothing: there is no topic. The hooks promoted and rolled_back can send messages."""

    def find(self, key: str) -> StoredObject | None:
        path = self._object(key)
        return StoredObject(str(path), {}) if path.is_file() else None

    def fetch(self, key: str) -> bytes:
        path = self._object(key)
        try:
            return read_bytes(path, OBJECT)
        except OSError as error:
            raise StateError(f"{path} cannot be read: {error}") from error

    def store(self, key: str, body: bytes, metadata: Mapping[str, str]) -> StoredObject:
        path = self._object(key)
        _write(path, body)
        return StoredObject(str(path), metadata)

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        if not names:
            return {}
        raise StateError(
            f"The alarms {', '.join(names)} are CloudWatch's, which state: file does not read"
        )

    @property
    def _live(self) -> Path:
        return self._directory / "live.json"

    def _known(self) -> _Known | None:
        return _read(self._live, _KNOWN, f"Remove it. {self._naming}")

    @property
    def _naming(self) -> str:
        options = " or ".join(f"--colour {colour}" for colour in self._environment.colours)
        return f"Name the live colour: canary promote --env {self._environment.name} {options}"

    def _row(self, canary: str) -> Path:
        return self._directory / "history" / f"{canary}.json"

    def _object(self, key: str) -> Path:
        if ".." in PurePosixPath(key).parts or key.startswith("/"):
            raise StateError(f"{key!r} is not the name of a stored object")
        return (self._directory / "objects" / key).resolve()


def _text(value: _Known | Row) -> bytes:
    document = {"version": VERSION, **dataclasses.asdict(value)}
    return (json.dumps(document, sort_keys=True, allow_nan=False) + "\n").encode()


def _read(path: Path, kind: TypeAdapter[Found], remedy: str) -> Found | None:
    """Return the content of a file, or None if there is none."""
    try:
        document: Any = read_json(read_text(path, SMALL))
        if isinstance(document, dict):
            refuse_newer(document.pop("version", None), str(path))
        return kind.validate_python(document)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        fault = error.errors()[0] if isinstance(error, ValidationError) else None
        why = f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" if fault else error
        raise StateError(f"{path} is damaged ({why}). {remedy}") from error


def _write(path: Path, body: bytes) -> None:
    """Replace a file as a whole; when this returns, it survives a crash of the machine."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        _sync(path.parent)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise StateError(f"{path} cannot be written: {error}") from error


def _sync(directory: Path) -> None:
    """Put the names in a directory on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
