"""A git ref (a commit or the working tree) and the app's files in it."""

from __future__ import annotations

import hashlib
import io
import os
import posixpath
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from canary.artifact.git import SHORT, WORKING_TREE, commit_of, git, time_of, tried
from canary.errors import ArtifactError
from canary.reading import OBJECT, read_bytes


@dataclass(frozen=True, slots=True)
class File:
    """One file of a release; the body of a ``link`` is its target."""

    body: bytes
    executable: bool = False
    link: bool = False


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


def load(repository: Path, ref: str, directory: str, *, links: bool = False) -> Tree:
    """Return ``directory`` at a tag, branch or commit, or as it is on disk now for ``.``.

    Links are refused, or with ``links`` kept if they stay inside.
    """
    commit = commit_of(repository, ref)
    time = time_of(repository, commit)
    committed = _committed(repository, commit, directory, links=links)
    short = commit[:SHORT]
    if ref == WORKING_TREE:
        found = _on_disk(repository, directory, links=links)
        if found != committed:
            release = f"{short}-{digest(found)[:8]}"
            return Tree(ref, commit, time, dirty=True, release=release, files=found)
    if not committed:
        raise ArtifactError(f"{ref} (commit {short}) has no files in {directory}/ to release")
    return Tree(ref, commit, time, dirty=False, release=short, files=committed)


def _committed(repository: Path, commit: str, directory: str, *, links: bool) -> dict[str, File]:
    if tried(repository, "cat-file", "-e", f"{commit}:./{directory}").returncode:
        return {}
    archive = git(repository, "archive", "--format=tar", commit, "--", directory)
    found: dict[str, File] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            if member.isfile() and (body := tar.extractfile(member)):
                found[member.name] = File(body.read(), bool(member.mode & 0o100))
            elif member.issym() and links:
                found[member.name] = _link(directory, member.name, member.linkname)
            elif not member.isdir():
                raise _refused(member.name)
    return found


def _on_disk(repository: Path, directory: str, *, links: bool) -> dict[str, File]:
    """Return tracked and new files, without ignored ones."""
    listed = git(repository, "ls-files", "-z", "-co", "--exclude-standard", "--", directory)
    found: dict[str, File] = {}
    for name in sorted(set(filter(None, listed.decode().split("\0")))):
        path = repository / name
        if path.is_symlink() and not links:
            raise _refused(name)
        if path.is_symlink() or path.exists():  # otherwise it was removed, which is a change too
            found[name] = read_file(repository, directory, path)
    return found


def everything(root: Path, directory: str) -> dict[str, File]:
    """Return all files of a directory as they are on disk, whatever git thinks of them."""
    return {
        path.relative_to(root).as_posix(): read_file(root, directory, path)
        for path in _walk(root / directory)
    }


def _walk(top: Path) -> Iterator[Path]:
    for parent, directories, names in os.walk(top):
        linked = [name for name in directories if (Path(parent) / name).is_symlink()]
        directories[:] = sorted(set(directories) - set(linked))
        yield from (Path(parent) / name for name in sorted([*names, *linked]))


def read_file(root: Path, directory: str, path: Path) -> File:
    """Return one file below ``root``; a link must stay inside ``directory``."""
    name = path.relative_to(root).as_posix()
    if path.is_symlink():
        return _link(directory, name, path.readlink().as_posix())
    if not path.is_file():
        raise ArtifactError(f"{name} is neither a file nor a link, so it cannot be released")
    return File(read_bytes(path, OBJECT), bool(path.stat().st_mode & 0o100))


def _link(directory: str, name: str, target: str) -> File:
    end = PurePosixPath(posixpath.normpath(PurePosixPath(name).parent / target))
    outside = end.is_absolute() or ".." in end.parts or not end.is_relative_to(directory)
    if outside:
        raise ArtifactError(
            f"{name} is a link to {target}, outside of {directory}; a host would not have it"
        )
    return File(target.encode(), link=True)


def digest(files: Mapping[str, File]) -> str:
    """Return the SHA-256 of names, modes and contents."""
    total = hashlib.sha256()
    for name, file in sorted(files.items()):
        body = hashlib.sha256(file.body).hexdigest()
        total.update(f"{name}\0{int(file.executable)}{'l' * file.link}\0{body}\n".encode())
    return total.hexdigest()


def _refused(name: str) -> ArtifactError:
    return ArtifactError(f"{name} is a link; a release holds plain files only. Replace it")
