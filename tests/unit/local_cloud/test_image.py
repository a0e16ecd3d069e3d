"""The base image has the name of its recipe, and is used only unchanged."""

import json
import os
from pathlib import Path

import pytest

from local_cloud import image as module
from local_cloud.errors import CommandError, ImageError
from local_cloud.image import Image, fingerprint


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "etc").mkdir(parents=True)
    (root / "etc/hostname").write_text("debian")
    (root / "etc/Főtanúsítvány.pem").write_text("a name that is not ASCII")
    (root / "bin").symlink_to("usr/bin")
    return root


def change_text(root: Path) -> None:
    (root / "etc/hostname").write_text("debiam")


def change_mode(root: Path) -> None:
    (root / "etc/hostname").chmod(0o600)


def change_link(root: Path) -> None:
    (root / "bin").unlink()
    (root / "bin").symlink_to("usr/sbin")


def add_file(root: Path) -> None:
    (root / "etc/new").touch()


def remove_file(root: Path) -> None:
    (root / "etc/hostname").unlink()


@pytest.mark.parametrize(
    "change",
    [change_text, change_mode, change_link, add_file, remove_file],
    ids=lambda c: c.__name__,
)
def test_every_change_changes_the_fingerprint(tree: Path, change: object) -> None:
    before = fingerprint(tree)
    assert fingerprint(tree) == before
    assert callable(change)
    change(tree)
    assert fingerprint(tree) != before


def test_a_moved_tree_has_the_same_fingerprint(tree: Path) -> None:
    before = fingerprint(tree)
    assert fingerprint(tree.rename(tree.with_name("elsewhere"))) == before


def test_another_recipe_is_another_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = Image(tmp_path).key
    assert Image(tmp_path).key == key
    monkeypatch.setattr(module, "HOOKS", (*module.HOOKS, "true"))
    assert Image(tmp_path).key != key


def test_a_broken_build_is_never_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: str, **__: object) -> None:
        raise CommandError("`mmdebstrap ...` ended with status 25: E: no network")

    monkeypatch.setattr(module, "follow", refuse)
    with pytest.raises(ImageError, match=r"could not be built.*no network"):
        Image(tmp_path).build()
    assert not Image(tmp_path).is_built()
    assert list(tmp_path.iterdir()) == []


def test_an_image_is_complete_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def bootstrap(*command: str, **_: object) -> None:
        root = next(Path(part) for part in command if part.endswith("/root"))
        (root / "etc").mkdir(parents=True)

    monkeypatch.setattr(module, "follow", bootstrap)
    built = Image(tmp_path)
    built.build()
    assert [path.name for path in tmp_path.iterdir()] == [built.key]
    assert json.loads(built.marker.read_text())["fingerprint"] == fingerprint(built.root)


def test_a_changed_image_is_refused(tree: Path, tmp_path: Path) -> None:
    built = Image(tmp_path / "images")
    built.marker.parent.mkdir(parents=True)
    tree.rename(built.root)
    built.marker.write_text(json.dumps({"fingerprint": fingerprint(built.root)}))
    built.verify()
    add_file(built.root)
    with pytest.raises(ImageError, match=r"was changed after it was built.*local-cloud image"):
        built.build()


def test_added_files_get_the_modes_they_need_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        staged = module.stage(tmp_path / "files")
    finally:
        os.umask(before)
    assert (staged / "usr/local/sbin/run-user-data").stat().st_mode & 0o777 == 0o755
    assert (staged / "etc/default/locale").stat().st_mode & 0o777 == 0o644
    assert (staged / "etc").stat().st_mode & 0o777 == 0o755


def test_stages_are_told_and_packages_are_not() -> None:
    told: list[str] = []
    lines = ["I: installing essential packages...", "Setting up tzdata (2024b-0) ...", "I: done"]
    for line in lines:
        module.tell_stage(line, told.append)
    assert told == ["installing essential packages..."]
