"""Releases that are not built: the deploy hook gets their name and commit."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from canary.artifact.git import SHORT, WORKING_TREE, found_commit, git, inside
from canary.artifact.publish import Published
from canary.errors import ArtifactError
from canary.reading import OBJECT, read_bytes

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")


def named(repository: Path, ref: str) -> Published:
    """Return a release by name: a git ref, or any name that the deploy hook understands.

    A git ref is resolved to its commit now, so that a branch that moves changes nothing.
    """
    commit = found_commit(repository, ref) if inside(repository) else ""
    if commit:
        release = commit[:SHORT]
        if ref == WORKING_TREE and (changes := _changes(repository)):
            release = f"{release}-{changes[:8]}"
        return Published(ref, release, commit, "", "", reused=False)
    if not _NAME.fullmatch(ref):
        raise ArtifactError(
            f"{ref!r} is neither a git ref here nor a name of a release. A name has letters, "
            "digits and . _ : / @ + -, as in v1.5.0"
        )
    return Published(ref, ref, "", "", "", reused=False)


def _changes(repository: Path) -> str:
    """Return a digest of the changes since the commit, empty without changes."""
    words = git(repository, "diff", "HEAD", "--binary")
    for name in git(repository, "ls-files", "-z", "-o", "--exclude-standard").split(b"\0"):
        path = repository / name.decode(errors="surrogateescape")
        if name and path.is_file():
            words += name + b"\0" + hashlib.sha256(read_bytes(path, OBJECT)).digest()
    return hashlib.sha256(words).hexdigest() if words else ""
