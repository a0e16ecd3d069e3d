"""Git commands: which commit a ref is, and which files it has."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from canary.errors import ArtifactError

WORKING_TREE = "."
SHORT = 12


def inside(repository: Path) -> bool:
    """Return whether the directory is in a git repository; a host may have no git at all."""
    if shutil.which("git") is None:
        return False
    return tried(repository, "rev-parse", "--git-dir").returncode == 0


def found_commit(repository: Path, ref: str) -> str:
    """Return the commit of a ref, or the checked-out commit for ``.``; empty if there is none."""
    name = "HEAD" if ref == WORKING_TREE else ref
    # A ref that starts with a dash would be read as an option.
    found = tried(
        repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
    )
    commit = found.stdout.decode().strip()
    return commit if found.returncode == 0 and commit.isalnum() else ""  # ^NAME is no commit


def commit_of(repository: Path, ref: str) -> str:
    """Return the commit of a ref. The error for an unknown ref lists the newest tags."""
    if commit := found_commit(repository, ref):
        return commit
    if not inside(repository):
        raise ArtifactError(f"{repository.resolve()} is not a git repository; run canary in one")
    tags = git(repository, "tag", "--sort=-creatordate").decode().split()[:5]
    newest = f"the newest tags are {', '.join(tags)}" if tags else "there are no tags"
    raise ArtifactError(
        f"No commit, tag or branch is named {ref!r}; {newest}. Write . for the working tree"
    )


def time_of(repository: Path, commit: str) -> int:
    """Return when a commit was made, in seconds since the epoch."""
    return int(git(repository, "show", "--no-patch", "--format=%ct", commit))


def tried(repository: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run git; return its exit status and output."""
    try:
        return subprocess.run(
            ["git", "-C", str(repository), *words], capture_output=True, check=False
        )
    except OSError as error:
        raise ArtifactError(f"git could not be started: {error}") from error


def git(repository: Path, *words: str) -> bytes:
    """Run git; return its output."""
    done = tried(repository, *words)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip()
        raise ArtifactError(f"git {' '.join(words)} failed: {reason}")
    return done.stdout
