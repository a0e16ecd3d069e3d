"""Releases that a build command creates, in a clean checkout of the commit."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from canary.artifact.build import Artifact
from canary.artifact.directory import below, publish_tree
from canary.artifact.git import SHORT, WORKING_TREE, commit_of, git, time_of
from canary.artifact.publish import Published, Store, keep
from canary.artifact.source import File, Tree, digest, everything
from canary.environment import CommandArtifact
from canary.errors import ArtifactError

LAST_LINES = 15


def publish_built(settings: CommandArtifact, repository: Path, ref: str, store: Store) -> Published:
    """Run the build command, and store what it created.

    The name of the release has a digest of the result, because the same commit may give other
    bytes the next time.
    """
    commit = commit_of(repository, ref)
    with _checkout(repository, ref, commit) as place:
        said = _run(settings, place, commit)
        path = _created(settings, place, said)
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


def _run(settings: CommandArtifact, place: Path, commit: str) -> str:
    """Run the command; return what it printed."""
    words = [word.format(commit=commit) for word in settings.command]
    try:
        process = subprocess.Popen(
            words,
            cwd=place,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, "CANARY_COMMIT": commit},
            start_new_session=True,
        )
    except OSError as error:
        raise ArtifactError(f"The build command could not be started: {error}") from error
    with process:
        out, err = _output(process, settings.timeout)
    if process.returncode:
        raise ArtifactError(
            f"The build command ended with status {process.returncode}{_ending(out + err)}"
        )
    return out


def _output(process: subprocess.Popen[str], timeout: float) -> tuple[str, str]:
    """Wait for the command; if it takes too long or canary is stopped, end its processes."""
    try:
        return process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        _end(process)
        raise ArtifactError(
            f"The build command did not end within {timeout:g} s; it was stopped"
        ) from None
    except BaseException:
        _end(process)
        raise


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _ending(text: str) -> str:
    lines = text.strip().splitlines()[-LAST_LINES:]
    return "; its output ends with:" + "".join(f"\n    {line}" for line in lines) if lines else ""


def _created(settings: CommandArtifact, place: Path, said: str) -> Path:
    """Return the file or directory that the command created."""
    printed = said.strip().splitlines()[-1:] or [""]
    name = settings.path or printed[0].strip()
    if not name:
        raise ArtifactError(
            "The build command printed no path. Let it print the path of what it created as its "
            "last line, or name it: environment: artifact: path"
        )
    path = (place / name).resolve()
    if not path.exists() or not path.is_relative_to(place) or path == place:
        raise ArtifactError(
            f"The build command should have created {name} below the repository, and did not"
        )
    return path


def _publish_file(path: Path, tree: Tree, store: Store) -> Published:
    body = path.read_bytes()
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
