"""State that survives a crash: the live colour, its fallback servers, and the lease.

Each is one small file, replaced whole, so that a reader never sees half of one.
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

    In a drill, the proxy adds errors or a delay to its responses for as long.
    """

    candidate: str
    share: float
    until: float
    unit: str
    weights: dict[str, int]
    drill: Drill | None = None


class Memory:
    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def live(self) -> str:
        try:
            return (self.directory / "live").read_text().strip()
        except OSError as error:
            raise RefusedError(
                f"The live colour is not known ({error}): run playbooks/configure.yml."
            ) from error

    @live.setter
    def live(self, colour: str) -> None:
        self._write("live", colour + "\n")

    @property
    def fallback(self) -> tuple[str, ...]:
        """Servers that take all traffic if the live colour fails; never a failed candidate."""
        names = self._read("fallback.json")
        return tuple(names) if isinstance(names, list) else ()

    @fallback.setter
    def fallback(self, servers: Iterable[str]) -> None:
        self._write("fallback.json", json.dumps(sorted(servers)))

    @property
    def lease(self) -> Lease | None:
        raw = self._read("lease.json")
        if not isinstance(raw, dict):
            return None
        drill = raw.pop("drill", None)
        return Lease(**raw, drill=Drill(**drill) if drill else None)

    @lease.setter
    def lease(self, lease: Lease | None) -> None:
        if lease is None:
            (self.directory / "lease.json").unlink(missing_ok=True)
        else:
            self._write("lease.json", json.dumps(asdict(lease)))

    def kept(self, name: str) -> dict[str, Any] | None:
        """Return a record; refuse a damaged one, because it must not count as absent."""
        path = self.directory / f"{name}.json"
        try:
            found = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise RefusedError(f"{path} cannot be read ({error}): remove it.") from error
        if not isinstance(found, dict) or "canary" not in found:
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
        except (FileNotFoundError, ValueError):
            return None  # not ours: treat it as absent, which is the safe side

    def _write(self, name: str, text: str) -> None:
        target = self.directory / name
        temporary = target.with_suffix(".new")
        with temporary.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
