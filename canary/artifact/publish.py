"""Store a release in the bucket, once, so that what was judged is what is promoted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from canary.artifact.build import Artifact, Recipe, build
from canary.artifact.source import Tree
from canary.errors import ArtifactError


class Stored(Protocol):
    """An object that is in the bucket."""

    @property
    def url(self) -> str: ...
    @property
    def metadata(self) -> Mapping[str, str]: ...


class Store(Protocol):
    """A bucket that can find and store an object."""

    def find(self, key: str) -> Stored | None: ...
    def store(self, key: str, body: bytes, metadata: Mapping[str, str]) -> Stored: ...


@dataclass(frozen=True, slots=True)
class Published:
    """A release in the bucket, with its checksum."""

    name: str
    release: str
    commit: str
    url: str
    sha256: str
    reused: bool


def publish(
    tree: Tree, recipe: Recipe, store: Store, make: Callable[[Tree, Recipe], Artifact] = build
) -> Published:
    """Build and store a release, unless the bucket has it already."""
    key = f"releases/{tree.release}.tar.gz"
    if kept := store.find(key):
        return _published(tree, kept, reused=True)
    artifact = make(tree, recipe)
    metadata = {
        "sha256": artifact.sha256,
        "commit": artifact.commit,
        "python": recipe.target.python,
    }
    return _published(tree, store.store(key, artifact.body, metadata), reused=False)


def _published(tree: Tree, kept: Stored, *, reused: bool) -> Published:
    sha256, commit = kept.metadata.get("sha256", ""), kept.metadata.get("commit")
    if len(sha256) != 64 or commit != tree.commit:
        raise ArtifactError(
            f"{kept.url} was not stored by canary (its metadata are {dict(kept.metadata)}); "
            f"remove it: aws s3 rm {kept.url}"
        )
    return Published(tree.ref, tree.release, tree.commit, kept.url, sha256, reused)
