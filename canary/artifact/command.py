"""Releases that a build command creates, in a clean checkout of the commit."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from canary.artifact.build import Artifact
from canary.artifact.directory import below, publish_tree
from canary.artifact.git import SHORT, WORKING_TREE, commit_of, git, time_of
from canary.artifact.publish import Published, Store, keep
from canary.artifact.source import File, Tree, digest, everything
from canary.environment import CommandArtifact
from canary.errors import ArtifactError
from canary.processes import LastLine, ending, plain, run
from canary.reading import OBJECT, read_bytes


def publish_built(
    settings: CommandArtifact, repository: Path, ref: str, store: Store, directory: Path
) -> Published:
    """Run the build command, store what it created, and keep its output in ``directory``.

    The name of the release has a digest of the result, because the same commit may give other
    bytes the next time.
    """
    commit = commit_of(repository, ref)
    log = directory / f"build-{commit[:SHORT]}.log"
    with _checkout(repository, ref, commit) as place:
        printed = _run(settings, place, commit, log)
        path = _created(settings, place, printed)
        time = time_of(repository, commit)
        if path.is_dir():
            name = path.relative_to(place).as_posix()
            files = below(name, everything(place, name))
            release = f"{commit[:SHORT]}-{digest(files)[:8]}"
            return publish_tree(_tree(ref, commit, time, release, files), store)
        return _publish_file(path, _tree(ref, commit, time), store)


def _tree(
    ref: str, commit: str, time: int, release: str = "", files: Mapping[str, File] | None = None
) -> Tree:
    return Tree(ref, commit, time, dirty=False, release=release, files=files or {})


@contextmanager
def _checkout(repository: Path, ref: str, commit: str) -> Iterator[Path]:
    """Yield the working tree for ``.``, else a clean checkout of the commit, removed afterwards."""
    if ref == WORKING_TREE:
        yield repository.resolve()
        return
    top = Path(git(repository, "rev-parse", "--show-toplevel").decode().rstrip("\n"))
    prefix = git(repository, "rev-parse", "--show-prefix").decode().rstrip("\n")
    with tempfile.TemporaryDirectory(prefix="canary-build-") as scratch:
        clone = Path(scratch).resolve() / top.name
        git(top, "clone", "--quiet", "--shared", "--no-checkout", str(top), str(clone))
        git(clone, "checkout", "--quiet", "--detach", commit)
        yield clone / prefix


def _run(settings: CommandArtifact, place: Path, commit: str, log: Path) -> str:
    """Run the command; return the last line that it printed."""
    words = [word.format(commit=commit) for word in settings.command]
    printed = LastLine()
    try:
        status = run(
            words,
            log,
            timeout=settings.timeout,
            environment={"CANARY_COMMIT": commit},
            directory=place,
            printed=printed,
        )
    except subprocess.TimeoutExpired:
        raise ArtifactError(
            f"The build command did not end within {settings.timeout:g} s; "
            f"it was stopped{ending(log)}"
        ) from None
    except OSError as error:
        raise ArtifactError(f"The build command could not be started: {error}") from error
    if status:
        raise ArtifactError(f"The build command ended with status {status}{ending(log)}")
    return str(printed)


def _created(settings: CommandArtifact, place: Path, printed: str) -> Path:
    """Return the file or directory that the command created."""
    name = settings.path or printed
    if not name:
        raise ArtifactError(
            "The build command printed no path. Let it print the path of what it created as its "
            "last line, or name it: environment: artifact: path"
        )
    path = _inside(place, name)
    if path is None:
        raise ArtifactError(
            f"The build command should have created {plain(name)} below the repository, and did not"
        )
    return path


def _inside(place: Path, name: str) -> Path | None:
    """Return the file or directory ``name`` below ``place``, or None if there is none."""
    try:
        path = (place / name).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):  # missing, too long, invalid, or a loop of links
        return None
    usable = path.is_dir() or path.is_file()  # a named pipe would never end
    return path if usable and path.is_relative_to(place) and path != place else None


def _publish_file(path: Path, tree: Tree, store: Store) -> Published:
    body = read_bytes(path, OBJECT)
    sha256 = hashlib.sha256(body).hexdigest()
    release = f"{tree.commit[:SHORT]}-{sha256[:8]}"
    artifact = Artifact(release, tree.commit, dirty=False, body=body, sha256=sha256)

    def verify(stored: bytes) -> str:
        if stored != body:
            raise ArtifactError(f"it is not the file {path.name} that was built now")
        return sha256

    return keep(
        replace(tree, release=release), store, lambda: artifact, verify, file=f"/{path.name}"
    )
