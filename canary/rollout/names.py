"""What a canary, or a move by hand, is called, and who did it."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
from datetime import UTC, datetime


def new_name(now: float) -> str:
    """Return a canary's name; names sort by time, and two of one second differ."""
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{moment}-{secrets.token_hex(2)}"


def whoami() -> str:
    """Return who runs this canary, and where."""
    return f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"
