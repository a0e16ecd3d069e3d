"""The configuration that the role writes, and the only error that users see."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

PATH = Path("/etc/shop-traffic.json")


class RefusedError(Exception):
    """The command was refused; the message says why, and what to type instead."""


@dataclass(frozen=True, slots=True)
class Server:
    """One instance of the app behind the proxy."""

    name: str
    colour: str
    id: int
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Config:
    backend: str
    socket: Path
    server_state: Path
    directory: Path
    servers: tuple[Server, ...]
    check_path: str = "/ready"
    check_host: str = "localhost"
    check_port: int = 0

    @property
    def colours(self) -> tuple[str, ...]:
        return tuple(sorted({server.colour for server in self.servers}))

    def of(self, colour: str) -> tuple[Server, ...]:
        """Return the servers of ``colour``; refuse an unknown colour."""
        found = tuple(server for server in self.servers if server.colour == colour)
        if not found:
            raise RefusedError(f"No colour {colour!r}. Colours here: {', '.join(self.colours)}.")
        return found

    def server(self, name: str) -> Server:
        for server in self.servers:
            if server.name == name:
                return server
        names = ", ".join(server.name for server in self.servers)
        raise RefusedError(f"No server {name!r}. Servers here: {names}.")


def load(path: Path = PATH) -> Config:
    try:
        raw = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RefusedError(
            f"{path} cannot be read ({error}): run playbooks/configure.yml."
        ) from error
    return Config(
        backend=raw["backend"],
        socket=Path(raw["socket"]),
        server_state=Path(raw["server_state"]),
        directory=Path(raw["directory"]),
        servers=tuple(Server(**server) for server in raw["servers"]),
        check_path=raw["check"]["path"],
        check_host=raw["check"]["host"],
        check_port=raw["check"]["port"],
    )
