"""Helpers for a git repository in tests, and a bucket in memory."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping
from pathlib import Path

from canary.state.base import StoredObject

WHEEL = b"a wheel"
LOCK = f"bottle==0.13.4 --hash=sha256:{hashlib.sha256(WHEEL).hexdigest()}\n".encode()


def git(path: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run(["git", "-C", str(path), *identity, *words], check=True, capture_output=True)


def commit(path: Path, message: str) -> None:
    git(path, "add", "-A")
    git(path, "commit", "-qm", message)


class Bucket:
    """Keeps objects in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, Mapping[str, str]]] = {}

    def find(self, key: str) -> StoredObject | None:
        return StoredObject(f"s3://b/{key}", self.kept[key][1]) if key in self.kept else None

    def fetch(self, key: str) -> bytes:
        return self.kept[key][0]

    def store(self, key: str, body: bytes, metadata: Mapping[str, str]) -> StoredObject:
        self.kept[key] = (body, metadata)
        return StoredObject(f"s3://b/{key}", metadata)
