"""Store a release in the bucket once, so that the judged release is the promoted one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from canary.artifact.build import Artifact, Recipe, build
from canary.artifact.source import Tree
from canary.artifact.verify import verified
from canary.errors import ArtifactError


class Stored(Protocol):
    """An object that is in the bucket."""

    @property
    def url(self) -> str: ...


class Store(Protocol):
    """A bucket that can find, fetch and store an object."""

    def find(self, key: str) -> Stored | None: ...
    def fetch(self, key: str) -> bytes: ...
    def store(self, key: str, body: bytes, metadata: Mapping[str, str]) -> Stored: ...


@dataclass(frozen=True, slots=True)
class Published:
    """A release in the bucket, with its checksum.

    ``url`` and ``sha256`` are empty if nothing was built: the deploy hook brings the files.
    """

    name: str
    release: str
    commit: str
    url: str
    sha256: str
    reused: bool


def publish(
    tree: Tree, recipe: Recipe, store: Store, make: Callable[[Tree, Recipe], Artifact] = build
) -> Published:
    """Build and store a Python release, unless the bucket has it already."""
    return keep(tree, store, lambda: make(tree, recipe), lambda body: verified(tree, recipe, body))


def keep(
    tree: Tree,
    store: Store,
    make: Callable[[], Artifact],
    verify: Callable[[bytes], str],
    file: str = ".tar.gz",
) -> Published:
    """Make and store a release, unless the bucket has it already.

    ``verify`` returns the digest of a stored object, which hosts compare with their download.
    ``file`` is the end of the object's name.
    """
    key = f"releases/{tree.release}{file}"
    if kept := store.find(key):
        digest = _digest(tree, kept, lambda: verify(store.fetch(key)))
        return Published(tree.ref, tree.release, tree.commit, kept.url, digest, reused=True)
    artifact = make()
    stored = store.store(key, artifact.body, {"commit": artifact.commit})
    digest = artifact.sha256
    return Published(tree.ref, tree.release, tree.commit, stored.url, digest, reused=False)


def _digest(tree: Tree, kept: Stored, verify: Callable[[], str]) -> str:
    try:
        return verify()
    except ArtifactError as error:
        raise ArtifactError(
            f"{kept.url} is not release {tree.release}: {error}. Find out who wrote it, then "
            f"remove it: {_removal(kept.url)}"
        ) from error


def _removal(url: str) -> str:
    return f"aws s3 rm {url}" if url.startswith("s3://") else f"rm {url}"
