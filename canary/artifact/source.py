"""A git ref (a commit or the working tree) and the app's files in it."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from canary.errors import ArtifactError

WORKING_TREE = "."


@dataclass(frozen=True, slots=True)
class File:
    """One file of a release."""

    body: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """A git ref and its files.

    Attributes:
        ref: what the user typed.
        commit: the commit; for a dirty working tree, the one that it started from.
        time: the commit's time, which every file of the artifact carries.
        release: the name of the release, and of its directory on a host.
    """

    ref: str
    commit: str
    time: int
    dirty: bool
    release: str
    files: Mapping[str, File]


def load(repository: Path, ref: str, directory: str) -> Tree:
    """Return ``directory`` at a tag, branch or commit, or as it is on disk now for ``.``."""
    commit = _resolve(repository, "HEAD" if ref == WORKING_TREE else ref)
    time = int(_git(repository, "show", "--no-patch", "--format=%ct", commit))
    committed = _committed(repository, commit, directory)
    short = commit[:12]
    if ref == WORKING_TREE and (found := _on_disk(repository, directory)) != committed:
        release = f"{short}-{_digest(found)[:8]}"
        return Tree(ref, commit, time, dirty=True, release=release, files=found)
    if not committed:
        raise ArtifactError(f"{ref} (commit {short}) has no files in {directory}/ to release")
    return Tree(ref, commit, time, dirty=False, release=short, files=committed)


def _resolve(repository: Path, ref: str) -> str:
    # A ref that starts with a dash would be read as an option.
    found = _try(
        repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
    )
    if found.returncode == 0:
        return found.stdout.decode().strip()
    inside = _try(repository, "rev-parse", "--git-dir")
    if inside.returncode:
        raise ArtifactError(f"{repository.resolve()} is not a git repository; run canary in one")
    tags = _git(repository, "tag", "--sort=-creatordate").decode().split()[:5]
    newest = f"the newest tags are {', '.join(tags)}" if tags else "there are no tags"
    raise ArtifactError(
        f"No commit, tag or branch is named {ref!r}; {newest}. Write . for the working tree"
    )


def _committed(repository: Path, commit: str, directory: str) -> dict[str, File]:
    if _try(repository, "cat-file", "-e", f"{commit}:{directory}").returncode:
        return {}
    archive = _git(repository, "archive", "--format=tar", commit, "--", directory)
    found: dict[str, File] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            if member.isfile() and (body := tar.extractfile(member)):
                found[member.name] = File(body.read(), bool(member.mode & 0o100))
            elif not member.isdir():
                raise _link(member.name)
    return found


def _on_disk(repository: Path, directory: str) -> dict[str, File]:
    """Return tracked and new files, without ignored ones."""
    listed = _git(repository, "ls-files", "-z", "-co", "--exclude-standard", "--", directory)
    found: dict[str, File] = {}
    for name in sorted(set(filter(None, listed.decode().split("\0")))):
        path = repository / name
        if path.is_symlink():
            raise _link(name)
        if path.exists():  # otherwise it was removed, which is a change too
            found[name] = File(path.read_bytes(), bool(path.stat().st_mode & 0o100))
    return found


def _digest(files: Mapping[str, File]) -> str:
    total = hashlib.sha256()
    for name, file in sorted(files.items()):
        body = hashlib.sha256(file.body).hexdigest()
        total.update(f"{name}\0{int(file.executable)}\0{body}\n".encode())
    return total.hexdigest()


def _link(name: str) -> ArtifactError:
    return ArtifactError(f"{name} is a link; a release holds plain files only. Replace it")


def _try(repository: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", "-C", str(repository), *words], capture_output=True, check=False
        )
    except OSError as error:
        raise ArtifactError(f"git could not be started: {error}") from error


def _git(repository: Path, *words: str) -> bytes:
    done = _try(repository, *words)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip()
        raise ArtifactError(f"git {' '.join(words)} failed: {reason}")
    return done.stdout
