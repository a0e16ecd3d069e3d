"""The root of the repository, and directories with a short path."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def short_directory() -> Iterator[Path]:
    """Yield a directory for UNIX sockets, whose path must be shorter than those of pytest.

    A lease that expires after the test (``canary_ssh``) may still write into it, so what cannot be
    removed stays.
    """
    with tempfile.TemporaryDirectory(prefix="canary-", ignore_cleanup_errors=True) as name:
        yield Path(name)
