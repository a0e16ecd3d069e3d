"""State that survives a crash: the live colour, its fallback servers, and the lease.

Each is one small file, replaced atomically, so a reader never sees a part of it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shop_traffic.config import RefusedError
from shop_traffic.drill import Drill

PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Lease:
    """Permission for ``candidate`` to carry ``weights``, until ``unit`` fires at ``until``.

    Attributes:
        up: the servers of both colours that the weights are for.
        baseline: the live server that carries a candidate's load, if it can.
        drill: errors or a delay that the proxy adds to the candidate's responses for as long.
    """

    candidate: str
    share: float
    until: float
    unit: str
    weights: dict[str, int]
    up: tuple[str, ...]
    baseline: str | None = None
    drill: Drill | None = None


def read_lease(raw: Mapping[str, Any]) -> Lease:
    """Return the lease of a file; raise if a value is missing or of another kind."""
    drill = raw.get("drill")
    return Lease(
        candidate=str(raw["candidate"]),
        share=float(raw["share"]),
        until=float(raw["until"]),
        unit=str(raw["unit"]),
        weights={str(name): int(weight) for name, weight in dict(raw["weights"]).items()},
        up=tuple(str(name) for name in raw["up"]),
        baseline=None if raw["baseline"] is None else str(raw["baseline"]),
        drill=Drill(**drill).checked() if drill else None,
    )


class Memory:
    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def live(self) -> str:
        try:
            return (self.directory / "live").read_text().strip()
        except UnicodeDecodeError:
            return ""  # the file names no colour
        except OSError as error:
            raise RefusedError(
                f"The live colour is not known ({error}): run playbooks/configure.yml."
            ) from error

    @live.setter
    def live(self, colour: str) -> None:
        self._write("live", colour + "\n")

    def live_among(self, colours: tuple[str, ...]) -> str:
        """Return the live colour; if its file names none, the one that is not the candidate."""
        live, lease = self.live, self.lease
        if live in colours:
            return live
        others = [colour for colour in colours if lease and colour != lease.candidate]
        if len(others) != 1:
            raise RefusedError(
                f"{self.directory / 'live'} does not name the live colour: write "
                f"{' or '.join(colours)} into it."
            )
        return others[0]

    @property
    def fallback(self) -> tuple[str, ...]:
        """Servers that take all traffic if the live colour fails; never a failed candidate."""
        names = self._read("fallback.json")
        if not isinstance(names, list):
            return ()
        return tuple(name for name in names if isinstance(name, str))

    @fallback.setter
    def fallback(self, servers: Iterable[str]) -> None:
        self._write("fallback.json", json.dumps(sorted(servers)))

    @property
    def lease(self) -> Lease | None:
        """The lease, or None if there is none or its file is damaged."""
        raw = self._read("lease.json")
        try:
            return read_lease(raw) if isinstance(raw, dict) else None
        except (KeyError, TypeError, ValueError, RefusedError):
            return None

    @lease.setter
    def lease(self, lease: Lease | None) -> None:
        if lease is None:
            (self.directory / "lease.json").unlink(missing_ok=True)
        else:
            self._write("lease.json", json.dumps(asdict(lease)))

    def kept(self, name: str, fields: Iterable[str]) -> dict[str, Any] | None:
        """Return a record; refuse a damaged one, because it must not count as absent."""
        path = self.directory / f"{name}.json"
        try:
            found = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise RefusedError(f"{path} cannot be read ({error}): remove it.") from error
        if not isinstance(found, dict) or not set(fields) <= found.keys():
            raise RefusedError(f"{path} is not a record of a canary: remove it.")
        return found

    def keep(self, name: str, record: Mapping[str, Any] | None) -> None:
        """Store a record, or remove it."""
        if record is None:
            (self.directory / f"{name}.json").unlink(missing_ok=True)
        else:
            self._write(f"{name}.json", json.dumps(record))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one command change traffic at a time."""
        with (self.directory / "lock").open("w") as lock:
            give_up = time.monotonic() + PATIENCE
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > give_up:
                        raise RefusedError(
                            "Another shop-traffic is still at work: try again."
                        ) from None
                    time.sleep(0.02)
            yield

    def _read(self, name: str) -> object:
        try:
            return json.loads((self.directory / name).read_text())
        except (OSError, ValueError, RecursionError):
            return None  # the owner is wrong: treat the file as absent, which is safe

    def _write(self, name: str, text: str) -> None:
        target = self.directory / name
        temporary = target.with_suffix(".new")
        with temporary.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
