"""A release is stored once, and a stored release that somebody changed is refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from canary.artifact import Artifact, Recipe, Tree, build, load, publish
from canary.artifact.build import pack
from canary.artifact.source import File
from canary.errors import ArtifactError
from tests.unit.canary.artifact_repository import Bucket


def test_a_release_is_built_and_stored_once(repository: Path, recipe: Recipe) -> None:
    bucket = Bucket()
    built: list[str] = []

    def make(tree: Tree, recipe: Recipe) -> Artifact:
        built.append(tree.release)
        return build(tree, recipe)

    first = publish(load(repository, "v1", "app"), recipe, bucket, make)
    again = publish(load(repository, "HEAD", "app"), recipe, bucket, make)
    assert built == [first.release]
    assert (first.reused, again.reused) == (False, True)
    assert first.url == f"s3://b/releases/{first.release}.tar.gz"
    body, metadata = bucket.kept[f"releases/{first.release}.tar.gz"]
    assert hashlib.sha256(body).hexdigest() == first.sha256 == again.sha256
    assert metadata["commit"] == first.commit


def parts(repository: Path, recipe: Recipe) -> dict[str, File]:
    """Return the parts from which the release v1 is packed."""
    made = build(load(repository, "v1", "app"), recipe)
    with tarfile.open(fileobj=io.BytesIO(made.body)) as tar:
        found = {}
        for member in tar:
            content = tar.extractfile(member)
            assert content is not None
            found[member.name] = File(content.read(), bool(member.mode & 0o100))
        return found


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("app/__init__.py", b"import os\n", "app/__init__.py is not what v1 has"),
        ("app/evil.py", b"import os\n", "app/evil.py is not what v1 has"),
        ("app/../../etc/x", b"x", "app/../../etc/x is not what v1 has"),
        ("wheels/bottle-0.13.4-py3-none-any.whl", b"evil", "is not in app/requirements.txt"),
        ("release.json", b"{}", "release.json describes something else"),
    ],
)
def test_an_object_that_somebody_changed_is_not_released_whatever_it_says_of_itself(
    repository: Path, recipe: Recipe, name: str, body: bytes, sentence: str
) -> None:
    bucket, tree = Bucket(), load(repository, "v1", "app")
    changed = pack({**parts(repository, recipe), name: File(body)}, tree.time)
    metadata = {"sha256": hashlib.sha256(changed).hexdigest(), "commit": tree.commit}
    bucket.store(f"releases/{tree.release}.tar.gz", changed, metadata)
    with pytest.raises(ArtifactError) as refused:
        publish(tree, recipe, bucket)
    assert sentence in str(refused.value)
    assert f"aws s3 rm s3://b/releases/{tree.release}.tar.gz" in str(refused.value)


def test_a_file_that_is_missing_or_no_archive_is_not_released(
    repository: Path, recipe: Recipe
) -> None:
    bucket, tree = Bucket(), load(repository, "v1", "app")
    without = {n: p for n, p in parts(repository, recipe).items() if n != "app/data/run.sh"}
    for body, sentence in (
        (pack(without, tree.time), "app/data/run.sh is not what v1 has"),
        (b"evil", "it is not a tar.gz"),
        (gzip.compress(bytes(50_000_000)), "it unpacks to more than"),
        (pack(parts(repository, recipe), tree.time) + gzip.compress(b"more"), "not one whole"),
        (pack(parts(repository, recipe), tree.time)[:-9], "not one whole"),
    ):
        bucket.store(f"releases/{tree.release}.tar.gz", body, {"commit": tree.commit})
        with pytest.raises(ArtifactError, match=sentence):
            publish(tree, recipe, bucket)
