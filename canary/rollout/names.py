"""Names of canaries and manual operations, and of the user."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
from datetime import UTC, datetime

DRILL = "-drill"
"""The end of a drill's name."""


def new_name(now: float) -> str:
    """Return a unique name; names sort by time."""
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{moment}-{secrets.token_hex(2)}"


def whoami() -> str:
    """Return the user, host and process."""
    return f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"
