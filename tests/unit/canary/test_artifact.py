"""A ref becomes a release: the same bytes every time, kept once, refused where it can't be."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from canary.artifact import Artifact, Recipe, Target, Tree, build, load, publish
from canary.artifact.build import pack
from canary.artifact.source import File
from canary.artifact.wheels import wheels
from canary.errors import ArtifactError
from canary.state.base import StoredObject

WHEEL = b"a wheel"
LOCK = f"bottle==0.13.4 --hash=sha256:{hashlib.sha256(WHEEL).hexdigest()}\n".encode()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "repository"
    (path / "app" / "data").mkdir(parents=True)
    (path / "app" / "__init__.py").write_text("VERSION = 1\n")
    (path / "app" / "data" / "run.sh").write_text("#!/bin/sh\n")
    (path / "app" / "data" / "run.sh").chmod(0o755)
    (path / "app" / "requirements.txt").write_bytes(LOCK)
    (path / "README").write_text("not released\n")
    (path / ".gitignore").write_text("*.pyc\n")
    git(path, "init", "-q")
    commit(path, "first")
    git(path, "tag", "v1")
    return path


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """A recipe whose one wheel is in the cache already."""
    target = Target(machine="x86_64")
    key = hashlib.sha256(LOCK + f"\n{target}".encode()).hexdigest()[:32]
    kept = tmp_path / "cache" / key
    kept.mkdir(parents=True)
    (kept / "bottle-0.13.4-py3-none-any.whl").write_bytes(WHEEL)
    return Recipe(target=target, cache=tmp_path / "cache")


def git(path: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run(["git", "-C", str(path), *identity, *words], check=True, capture_output=True)


def commit(path: Path, message: str) -> None:
    git(path, "add", "-A")
    git(path, "commit", "-qm", message)


def contents(artifact: Artifact) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(artifact.body)) as tar:
        return {member.name: member for member in tar}


def test_a_release_holds_app_wheels_and_its_description(repository: Path, recipe: Recipe) -> None:
    artifact = build(load(repository, "v1", "app"), recipe)
    members = contents(artifact)
    assert list(members) == [
        "app/__init__.py",
        "app/data/run.sh",
        "app/requirements.txt",
        "release.json",
        "wheels/bottle-0.13.4-py3-none-any.whl",
    ]
    assert members["app/data/run.sh"].mode == 0o755
    assert {member.uid for member in members.values()} == {0}
    with tarfile.open(fileobj=io.BytesIO(artifact.body)) as tar:
        body = tar.extractfile("release.json")
        assert body is not None
        described = json.load(body)
    assert described["commit"] == artifact.commit
    assert described["dirty"] is False
    assert described["python"] == "3.11"
    wheel = described["sha256"]["wheels/bottle-0.13.4-py3-none-any.whl"]
    assert wheel == hashlib.sha256(WHEEL).hexdigest()


def test_the_same_commit_gives_the_same_bytes_by_any_name(
    repository: Path, recipe: Recipe, tmp_path: Path
) -> None:
    one = build(load(repository, "v1", "app"), recipe)
    copy = tmp_path / "copy"
    git(repository, "clone", "-q", str(repository), str(copy))
    for path in copy.rglob("*.py"):
        path.touch()
    two = build(load(copy, "HEAD", "app"), recipe)
    three = build(load(copy, one.commit[:10], "app"), recipe)
    assert one.body == two.body == three.body
    assert one.release == one.commit[:12]


def test_a_clean_working_tree_is_its_commit(repository: Path) -> None:
    tree = load(repository, ".", "app")
    assert not tree.dirty
    assert tree.release == tree.commit[:12]


@pytest.mark.parametrize("change", ["edit", "add", "remove", "mode"])
def test_a_changed_working_tree_is_marked(repository: Path, change: str) -> None:
    app = repository / "app"
    match change:
        case "edit":
            (app / "__init__.py").write_text("VERSION = 2\n")
        case "add":
            (app / "new.py").write_text("")
        case "remove":
            (app / "__init__.py").unlink()
        case _:
            (app / "__init__.py").chmod(0o755)
    tree = load(repository, ".", "app")
    assert tree.dirty
    assert tree.release.startswith(tree.commit[:12] + "-")
    assert load(repository, "HEAD", "app").dirty is False


def test_what_is_outside_the_app_or_ignored_changes_nothing(repository: Path) -> None:
    (repository / "README").write_text("changed")
    (repository / "app" / "x.pyc").write_text("compiled")
    assert not load(repository, ".", "app").dirty


def test_different_changes_are_different_releases(repository: Path) -> None:
    names = set()
    for text in ("a", "b"):
        (repository / "app" / "new.py").write_text(text)
        names.add(load(repository, ".", "app").release)
    assert len(names) == 2


@pytest.mark.parametrize(
    ("ref", "sentence"),
    [
        ("v9", "No commit, tag or branch is named 'v9'; the newest tags are v1"),
        ("--all", "No commit, tag or branch is named '--all'"),
        ("", "No commit, tag or branch is named ''"),
    ],
)
def test_a_ref_that_is_none_is_refused(repository: Path, ref: str, sentence: str) -> None:
    with pytest.raises(ArtifactError) as refused:
        load(repository, ref, "app")
    assert sentence in str(refused.value)


def test_outside_of_git_there_are_no_releases(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="is not a git repository"):
        load(tmp_path, "HEAD", "app")


def test_a_commit_without_the_app_is_refused(repository: Path) -> None:
    with pytest.raises(ArtifactError, match="has no files in shop/"):
        load(repository, "HEAD", "shop")


@pytest.mark.parametrize("ref", ["HEAD", "."])
def test_links_are_refused(repository: Path, ref: str) -> None:
    (repository / "app" / "link").symlink_to("/etc/passwd")
    if ref == "HEAD":
        commit(repository, "a link")
    with pytest.raises(ArtifactError, match="app/link is a link"):
        load(repository, ref, "app")


def test_an_app_without_a_lock_is_refused(repository: Path, recipe: Recipe) -> None:
    (repository / "app" / "requirements.txt").unlink()
    with pytest.raises(ArtifactError, match=r"has no app/requirements\.txt"):
        build(load(repository, ".", "app"), recipe)


def test_a_dependency_without_a_hash_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"could not be downloaded for Python 3\.11"):
        wheels(b"bottle\n", Target(), tmp_path)
    assert list(tmp_path.iterdir()) == [], "nothing half-filled stays in the cache"


class Bucket:
    """Keeps objects in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, Mapping[str, str]]] = {}

    def find(self, key: str) -> StoredObject | None:
        return StoredObject(f"s3://b/{key}", self.kept[key][1]) if key in self.kept else None

    def fetch(self, key: str) -> bytes:
        return self.kept[key][0]

    def store(self, key: str, body: bytes, metadata: Mapping[str, str]) -> StoredObject:
        self.kept[key] = (body, metadata)
        return StoredObject(f"s3://b/{key}", metadata)


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
    """Return what the release of v1 is packed from."""
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
    ):
        bucket.store(f"releases/{tree.release}.tar.gz", body, {"commit": tree.commit})
        with pytest.raises(ArtifactError, match=sentence):
            publish(tree, recipe, bucket)
