"""The module file_set: a set of files in one call, all valid or none written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.ansible_modules import load, run

MODULE = load("file_set")
Answer = dict[str, Any]
Apply = Callable[..., Answer]


def apply(**parameters: Any) -> Answer:
    return run(MODULE, **parameters)


def tree(place: Path) -> dict[str, str]:
    """Return all files of a directory: text, link target or mode."""
    found = {}
    for path in sorted(place.rglob("*")):
        name = str(path.relative_to(place))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = f"{path.stat().st_mode & 0o7777:o} {path.read_text()}"
        else:
            found[name] = f"{path.stat().st_mode & 0o7777:o}"
    return found


def shop(place: Path, **changed: Any) -> dict[str, Any]:
    """Return a set with one of each kind."""
    settings = {"path": f"{place}/etc/settings", "content": "colour=blue\n", "mode": "0640"}
    return {
        "directories": [{"path": f"{place}/etc"}, {"path": f"{place}/etc/deep/er", "mode": "0700"}],
        "files": [{**settings, **changed}, {"path": f"{place}/etc/plain", "content": "plain\n"}],
        "links": [{"path": f"{place}/current", "target": "etc"}],
    }


SHOP = {
    "current": "-> etc",
    "etc": "755",
    "etc/deep": "755",
    "etc/deep/er": "700",
    "etc/plain": "644 plain\n",
    "etc/settings": "640 colour=blue\n",
}


def test_a_set_is_written_in_one_call_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    first = apply(**shop(tmp_path))
    assert first["changed"]
    assert tree(tmp_path) == SHOP
    times = {path: path.lstat().st_ctime_ns for path in tmp_path.rglob("*")}
    second = apply(**shop(tmp_path))
    assert second["changed"] is False
    assert second["written"] == []
    assert second["diff"] == []
    assert {path: path.lstat().st_ctime_ns for path in tmp_path.rglob("*")} == times


def test_only_what_differs_is_written_and_named(tmp_path: Path) -> None:
    apply(**shop(tmp_path))
    before = (tmp_path / "etc/plain").stat()
    answer = apply(**shop(tmp_path, content="colour=green\n"))
    assert answer["written"] == [f"{tmp_path}/etc/settings"]
    assert tree(tmp_path) == {**SHOP, "etc/settings": "640 colour=green\n"}
    assert (tmp_path / "etc/plain").stat() == before


def test_rights_are_repaired_without_a_new_content(tmp_path: Path) -> None:
    apply(**shop(tmp_path))
    settings, deep = tmp_path / "etc/settings", tmp_path / "etc/deep/er"
    inode = settings.stat().st_ino
    settings.chmod(0o666)
    deep.chmod(0o777)
    assert apply(check=True, **shop(tmp_path))["written"] == [str(deep), str(settings)]
    assert apply(**shop(tmp_path))["written"] == [str(deep), str(settings)]
    assert tree(tmp_path) == SHOP
    assert settings.stat().st_ino == inode


def test_check_mode_says_the_same_and_changes_nothing(tmp_path: Path) -> None:
    planned = apply(check=True, **shop(tmp_path))
    assert tree(tmp_path) == {}
    assert planned["written"] == apply(**shop(tmp_path))["written"]
    planned = apply(check=True, **shop(tmp_path, content="colour=green\n"))
    assert planned["written"] == [f"{tmp_path}/etc/settings"]
    assert tree(tmp_path) == SHOP


def test_a_plan_may_name_a_user_that_an_earlier_task_would_create(tmp_path: Path) -> None:
    wanted = shop(tmp_path, owner="no-such-user", group="no-such-group")
    assert apply(check=True, **wanted)["changed"] is True
    refused = apply(**wanted)
    assert refused["failed"]
    assert "no user no-such-user" in refused["msg"]
    assert tree(tmp_path) == {}


def test_the_diff_shows_content_and_rights(tmp_path: Path) -> None:
    apply(**shop(tmp_path))
    answer = apply(**shop(tmp_path, content="colour=green\n", mode="0600"))
    rights, content = answer["diff"]
    assert "mode 0640" in rights["prepared"]
    assert "mode 0600" in rights["prepared"]
    assert (content["before"], content["after"]) == ("colour=blue\n", "colour=green\n")
    assert content["before_header"] == f"{tmp_path}/etc/settings"


@pytest.mark.parametrize("check", [True, False])
def test_a_secret_is_nowhere_in_the_answer(tmp_path: Path, *, check: bool) -> None:
    old, new = "password=old-secret\nx=1\n", "password=new-secret\nx=1\n"
    apply(**shop(tmp_path, content=old, secret=True))
    answer = apply(check=check, **shop(tmp_path, content=new, secret=True))
    assert answer["changed"]
    assert "-secret" not in json.dumps(answer)
    assert f"{tmp_path}/etc/settings: new content" in json.dumps(answer["diff"])
    leaks = "sh -c 'cat $0; false' %s"
    refused = apply(**shop(tmp_path, content=f"{new}y", secret=True, validate=leaks))
    assert refused["failed"] is True
    assert "-secret" not in json.dumps(refused)


def test_a_validation_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    apply(**shop(tmp_path))
    wanted = shop(tmp_path, content="colour=green\n")
    wanted["directories"].append({"path": f"{tmp_path}/new"})
    wanted["files"].append(
        {"path": f"{tmp_path}/new/bad", "content": "bad", "validate": "grep -c good %s"}
    )
    wanted["links"][0]["target"] = "new"
    answer = apply(**wanted)
    assert answer["failed"] is True
    assert answer["changed"] is False
    assert f"{tmp_path}/new/bad is not valid" in answer["msg"]
    assert tree(tmp_path) == SHOP


def test_a_validation_sees_the_new_content_and_runs_for_new_content_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    wanted = shop(tmp_path, validate=f"sh -c 'cat $0 >> {log}' %s")
    apply(**wanted)
    apply(**wanted)
    assert log.read_text() == "colour=blue\n"


def test_a_failure_halfway_names_what_was_written_and_the_next_run_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == "plain":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        answer = apply(**shop(tmp_path))
    assert answer["failed"] is True
    assert answer["changed"] is True
    assert "No space left" in answer["msg"]
    assert answer["written"][-1] == f"{tmp_path}/etc/settings"
    left = tree(tmp_path)
    assert left == {name: SHOP[name] for name in SHOP if name not in ("etc/plain", "current")}
    assert apply(**shop(tmp_path))["written"] == [f"{tmp_path}/etc/plain", f"{tmp_path}/current"]
    assert tree(tmp_path) == SHOP


def test_a_failure_while_it_is_written_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(**shop(tmp_path))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        answer = apply(**shop(tmp_path, content="colour=green\n"))
    assert answer["failed"] is True
    assert answer["changed"] is False
    assert tree(tmp_path) == SHOP


def test_a_link_replaces_a_file_and_a_file_replaces_a_link(tmp_path: Path) -> None:
    (tmp_path / "current").write_text("a file")
    (tmp_path / "etc").mkdir()
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "etc/plain").symlink_to(tmp_path / "kept")
    apply(**shop(tmp_path))
    assert tree(tmp_path) == {**SHOP, "kept": "644 kept"}


def test_a_directory_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "current").mkdir()
    (tmp_path / "current/precious").write_text("precious")
    before = tree(tmp_path)
    answer = apply(**shop(tmp_path))
    assert answer["failed"] is True
    assert "Move it" in answer["msg"]
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mode": "rw"}, "write it in octal"),
        ({"path": "etc/settings"}, "use absolute paths"),
        ({"validate": "true"}, "has no %s"),
    ],
)
def test_what_cannot_be_written_is_refused(
    tmp_path: Path, changed: dict[str, str], message: str
) -> None:
    answer = apply(**shop(tmp_path, **changed))
    assert answer["failed"] is True
    assert message in answer["msg"]
    assert tree(tmp_path) == {}


def test_a_secret_is_never_readable_to_others_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    opened = os.open

    def watched(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        seen.append(mode)
        return opened(path, flags, mode, **more)

    monkeypatch.setattr(MODULE.os, "open", watched)
    apply(**shop(tmp_path, secret=True))
    assert seen.count(0o600) == 2
