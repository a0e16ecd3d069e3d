"""The store of the shops: PostgreSQL and Redis where they can run, else what replaces them."""

from __future__ import annotations

import os
import pwd
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.support.app_servers import Postgres, Redis, program

FAILURES = (OSError, KeyError, AssertionError, subprocess.SubprocessError)


@dataclass(frozen=True)
class Store:
    """The URLs of the shops' settings, and what runs in words."""

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
        missing.append(f"SQLite replaces PostgreSQL ({reason(error)})")
    try:
        cache = _redis(stack).url
        words.append("Redis")
    except FAILURES as error:
        missing.append(f"the shops have no Redis ({reason(error)})")
    return Store(database, cache, tuple(words), tuple(missing))


def reason(error: BaseException) -> str:
    """Return why a server does not run, in a few words."""
    if isinstance(error, FileNotFoundError):
        return "not installed"
    if isinstance(error, KeyError):
        return "it refuses to run as root, and this machine has no user postgres"
    if isinstance(error, subprocess.CalledProcessError) and error.stderr:
        return str(error.stderr.decode(errors="replace").strip().splitlines()[-1])
    return str(error)


def _postgres(directory: Path, stack: ExitStack) -> Postgres:
    program("initdb")
    if not os.getuid():
        pwd.getpwnam("postgres")
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
