"""Names of canaries and manual operations, and of the user."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
from datetime import UTC, datetime

from canary.artifact.git import WORKING_TREE

DRILL = "-drill"
"""The end of a drill's name."""


def new_name(now: float) -> str:
    """Return a unique name; names sort by time."""
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{moment}-{secrets.token_hex(2)}"


def speaking(ref: str, commit: str) -> str:
    """Return what was typed for a release, or an empty string if it says no more than its commit.

    >>> speaking("v1.5.0", "2f1c9a0b7d3e"), speaking("2f1c9a0", "2f1c9a0b7d3e"), speaking(".", "")
    ('v1.5.0', '', '')
    """
    return "" if ref == WORKING_TREE or commit.startswith(ref) else ref


def with_ref(release: str, ref: str) -> str:
    """Return a release with what was typed for it.

    >>> with_ref("2f1c9a0b7d3e", "v1.5.0")
    'v1.5.0 (2f1c9a0b7d3e)'
    """
    return f"{ref} ({release})" if ref and ref != release else release


def whoami() -> str:
    """Return the user, host and process."""
    return f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"
