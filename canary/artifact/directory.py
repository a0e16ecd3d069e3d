"""Releases that are one directory of the repository, packed as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from canary.artifact.build import Artifact, pack
from canary.artifact.git import SHORT, WORKING_TREE, commit_of, time_of
from canary.artifact.publish import Published, Store, keep
from canary.artifact.source import File, Tree, digest, everything, load
from canary.artifact.verify import same
from canary.environment import DirectoryArtifact
from canary.errors import ArtifactError


def publish_directory(
    settings: DirectoryArtifact, repository: Path, ref: str, store: Store
) -> Published:
    """Pack and store a directory, unless the bucket has it already."""
    if settings.ignored:
        tree = _on_disk(repository, ref, settings.path)
    else:
        tree = load(repository, ref, settings.path, links=True)
    return publish_tree(replace(tree, files=below(settings.path, tree.files)), store)


def publish_tree(tree: Tree, store: Store) -> Published:
    """Pack and store these files, unless the bucket has them already."""
    return keep(tree, store, lambda: packed(tree), lambda body: same(tree.files, tree.ref, body))


def packed(tree: Tree) -> Artifact:
    """Return the files as a tar.gz."""
    body = pack(tree.files, tree.time)
    return Artifact(tree.release, tree.commit, tree.dirty, body, hashlib.sha256(body).hexdigest())


def below(directory: str, files: Mapping[str, File]) -> dict[str, File]:
    """Return the files with their names inside the directory."""
    return {
        PurePosixPath(name).relative_to(directory).as_posix(): file for name, file in files.items()
    }


def _on_disk(repository: Path, ref: str, directory: str) -> Tree:
    """Return the directory as it is on disk, for the commit that is checked out."""
    commit = commit_of(repository, ref)
    if ref != WORKING_TREE and commit != commit_of(repository, WORKING_TREE):
        raise ArtifactError(
            f"{directory} is packed from disk (ignored: true), but {ref} is not checked out. "
            f"Run: git checkout {ref}, then build, then the canary"
        )
    files = everything(repository, directory)
    if not files:
        raise ArtifactError(
            f"There are no files in {directory}/ to release; run the build first, or correct "
            "environment: artifact: path"
        )
    release = f"{commit[:SHORT]}-{digest(files)[:8]}"
    time = time_of(repository, commit)
    return Tree(ref, commit, time, dirty=True, release=release, files=files)
