"""The store of the shops: PostgreSQL and Redis if they can run, else their substitutes."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.support.app_servers import Postgres, Redis, program

#: PostgreSQL: "[105] FATAL:  no space", initdb: "initdb: error: no user", HAProxy: "[ALERT] (7) : "
SEVERE = re.compile(r"\b(?:FATAL|PANIC|ERROR|ALERT|error)\b[^:]*:")
FAILURES = (OSError, RuntimeError, AssertionError, subprocess.SubprocessError)


@dataclass(frozen=True)
class Store:
    """The URLs for the shops' settings, and a description of the running stores."""

    database: str
    cache: str
    words: tuple[str, ...]
    missing: tuple[str, ...]


def start(directory: Path, stack: ExitStack) -> Store:
    """Start PostgreSQL and Redis; without PostgreSQL, the shops share a file of SQLite."""
    words, missing = [], []
    database, cache = f"sqlite:///{directory / 'shop.db'}", ""
    try:
        database = _postgres(directory / "postgres", stack).url
        words.append("PostgreSQL")
    except FAILURES as error:
        words.append("SQLite")
        missing.append(f"SQLite replaces PostgreSQL ({absence(error)})")
    try:
        cache = _redis(stack).url
        words.append("Redis")
    except FAILURES as error:
        missing.append(f"the shops have no Redis ({absence(error)})")
    return Store(database, cache, tuple(words), tuple(missing))


def reason(error: BaseException) -> str:
    """Return in a few words why a program does not run: the first error that it printed."""
    if isinstance(error, subprocess.CalledProcessError) and error.stderr:
        said = error.stderr
        lines = str(said if isinstance(said, str) else said.decode(errors="replace")).split("\n")
        first = next(filter(SEVERE.search, lines), lines[0])
        return SEVERE.split(first, maxsplit=1)[-1].strip()
    return str(error)


def absence(error: BaseException) -> str:
    if isinstance(error, PermissionError):
        return "root may not become another user here"
    return "not installed" if isinstance(error, FileNotFoundError) else reason(error)


def _require_user(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        raise RuntimeError(f"it refuses to run as root, and there is no user {name}") from None


def _postgres(directory: Path, stack: ExitStack) -> Postgres:
    program("initdb")
    if not os.getuid():
        _require_user("postgres")
    directory.mkdir(mode=0o755)
    server = Postgres(directory / "server")
    server.create()
    stack.callback(server.stop)
    server.start()
    return server


def _redis(stack: ExitStack) -> Redis:
    server = Redis()
    stack.callback(server.stop)
    server.start()
    return server
