"""The demonstration without hosts: its messages, and that it leaves no process behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.processes import store
from tests.e2e.processes.ending import MARK, guarded, marked
from tests.support.paths import ROOT

SLEEP = [sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"]


def test_without_postgresql_and_redis_it_says_what_replaces_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> str:
        raise FileNotFoundError(f"{name} is not installed")

    monkeypatch.setattr(store, "program", absent)
    monkeypatch.setattr("tests.support.app_servers.program", absent)
    with ExitStack() as stack:
        kept = store.start(tmp_path, stack)
    assert kept.database == f"sqlite:///{tmp_path}/shop.db"
    assert kept.cache == ""
    assert kept.words == ("SQLite",)
    assert kept.missing == (
        "SQLite replaces PostgreSQL (not installed)",
        "the shops have no Redis (not installed)",
    )


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        (
            b"2026-11-29 04:06:25.957 UTC [105] FATAL:  could not resize shared memory segment\n"
            b"2026-11-29 04:06:25.957 UTC [105] PANIC:  cannot abort transaction 1\nAborted\n",
            "could not resize shared memory segment",
        ),
        ("initdb: error: could not look up user 9\n", "could not look up user 9"),
        (
            "[NOTICE]   (7) : version 2.6\n[ALERT]    (7) : parsing [a.cfg:2] : no file\n",
            "parsing [a.cfg:2] : no file",
        ),
        ("no such luck\nat all\n", "no such luck"),
    ],
)
def test_a_program_that_fails_is_told_in_one_line(printed: str | bytes, words: str) -> None:
    error = subprocess.CalledProcessError(1, ["initdb"], stderr=printed)
    assert store.absence(error) == words


def test_root_in_a_container_may_not_become_another_user() -> None:
    error = PermissionError(1, "Operation not permitted", "postgres")
    assert store.absence(error) == "root may not become another user here"


def test_root_without_the_user_of_postgresql_gets_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getuid", lambda: 0)
    monkeypatch.setattr("pwd.getpwnam", {}.__getitem__)
    monkeypatch.setattr(store, "program", lambda name: name)
    with ExitStack() as stack, pytest.raises(RuntimeError, match="there is no user postgres"):
        store._postgres(tmp_path / "postgres", stack)


def test_a_process_in_a_session_of_its_own_ends_with_the_demonstration(tmp_path: Path) -> None:
    directory = tmp_path / "processes"
    directory.mkdir()
    with guarded(directory):
        process = subprocess.Popen(SLEEP, stdout=subprocess.PIPE, start_new_session=True)
        assert process.stdout is not None
        process.stdout.readline()
        assert marked(directory) == [process.pid]
    assert process.wait(30) != 0
    process.stdout.close()
    assert MARK not in os.environ
    assert marked(directory) == []
    assert not directory.exists()


def test_no_temporary_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``canary`` keeps a directory for SSH connections where temporary files are."""
    monkeypatch.setenv("TMPDIR", "/before")
    directory = tmp_path / "processes"
    directory.mkdir()
    with guarded(directory):
        asked = [sys.executable, "-c", "import tempfile; print(tempfile.gettempdir())"]
        place = Path(subprocess.run(asked, capture_output=True, text=True).stdout.strip())
    assert place.is_relative_to(directory)
    assert not directory.exists()
    assert os.environ["TMPDIR"] == "/before"


def ordinary_make(directory: Path, *words: str, path: str) -> subprocess.CompletedProcess[str]:
    """Run make as an ordinary user on a machine where no Debian package is installed."""
    for name in ("Makefile", "packages.txt"):
        shutil.copy(ROOT / name, directory / name)
    for name, does in (("dpkg-query", "exit 1"), ("id", "echo 1000"), ("apt-get", "exit 9")):
        program = directory / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)
    return subprocess.run(
        ["make", *words],
        cwd=directory,
        env={**os.environ, "PATH": f"{directory}/bin:{path}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_ordinary_user_is_told_which_packages_are_missing(tmp_path: Path) -> None:
    """`make setup-dev` continues, and `make demo` and `make test` leave out what needs them."""
    done = ordinary_make(tmp_path, ".run/debian-packages", path=os.environ["PATH"])
    assert done.returncode == 0, done.stderr
    told = "what needs them is left out. As root: apt-get install ca-certificates"
    assert told in done.stdout
    assert not (tmp_path / ".run/debian-packages").exists()


def test_an_ordinary_user_without_haproxy_is_told_so_before_anything_is_installed(
    tmp_path: Path,
) -> None:
    done = ordinary_make(tmp_path, "demo", "SYSTEM_PATH=/nonexistent", path="/usr/bin:/bin")
    assert done.returncode == 2
    assert "Type, as root: apt-get install haproxy" in done.stdout
    assert "canary try" in done.stdout
    assert not (tmp_path / ".venv").exists()
