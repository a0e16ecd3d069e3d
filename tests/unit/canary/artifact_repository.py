"""Short ways to use git in a repository for tests."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

WHEEL = b"a wheel"
LOCK = f"bottle==0.13.4 --hash=sha256:{hashlib.sha256(WHEEL).hexdigest()}\n".encode()


def git(path: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run(["git", "-C", str(path), *identity, *words], check=True, capture_output=True)


def commit(path: Path, message: str) -> None:
    git(path, "add", "-A")
    git(path, "commit", "-qm", message)
