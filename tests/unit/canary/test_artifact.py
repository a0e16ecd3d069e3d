"""A ref becomes a release: always the same bytes, stored once, or refused with a reason."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from canary.artifact import Artifact, Recipe, Target, build, load
from canary.artifact.wheels import wheels
from canary.errors import ArtifactError
from tests.unit.canary.artifact_repository import WHEEL, commit, git


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
        ("^HEAD", "No commit, tag or branch is named '^HEAD'"),
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
