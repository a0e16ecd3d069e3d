"""A user's command as a hook and as a build: its time, its output, its processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from canary.artifact import release
from canary.environment import ArtifactSettings, Hooks
from canary.errors import ArtifactError, Interruption
from canary.processes import run
from canary.processes.command import HASTE
from canary.rollout.hooks import Commands
from canary.rollout.system import Signals
from tests.support.waiting import wait_for
from tests.unit.canary.artifact_repository import Bucket, commit, git

Runs = Callable[..., str]
"""Runs a shell script in a directory, and returns the sentence about its failure."""
ENDLESS = "head -c 40000000 /dev/zero | tr '\\0' 'x'"


def as_hook(directory: Path, script: str, **options: Any) -> str:
    hook = {"command": ["sh", "-c", script], "on_failure": "continue", **options}
    return Commands(Hooks.model_validate({"deploy": hook}), directory).run("deploy", {})


def as_build(directory: Path, script: str, **options: Any) -> str:
    repository = directory / "repository"
    if not repository.exists():
        (repository / "dist").mkdir(parents=True)
        (repository / "dist/page").write_text("a page\n")
        git(repository, "init", "-q")
        commit(repository, "first")
    settings: ArtifactSettings = TypeAdapter(ArtifactSettings).validate_python(
        {"kind": "command", "command": ["sh", "-c", script], "path": "dist", **options}
    )
    try:
        release(settings, repository, "HEAD", Bucket, directory)
    except ArtifactError as error:
        return str(error)
    return ""


@pytest.fixture(params=[as_hook, as_build])
def runs(request: pytest.FixtureRequest) -> Runs:
    found: Runs = request.param
    return found


def log(directory: Path) -> Path:
    (found,) = directory.glob("*.log")
    return found


def test_a_command_that_takes_too_long_is_ended_with_all_it_started(
    runs: Runs, tmp_path: Path
) -> None:
    script = f"sleep 30 & echo $! > {tmp_path}/child; wait"
    began = time.monotonic()
    assert "did not end within 2 s; it was stopped" in runs(tmp_path, script, timeout=2)
    assert time.monotonic() - began < 20
    child = int((tmp_path / "child").read_text())
    wait_for(lambda: not alive(child), "what the command started ends", 5, 0.01)


STUBBORN = "trap '' TERM; echo $$ > {path}/child; while :; do sleep 0.1; done"


def stubborn(tmp_path: Path) -> str:
    """Start a child that ignores SIGTERM, and wait until it runs."""
    child = STUBBORN.format(path=tmp_path)
    return (
        f'sh -c "{child.replace("$", chr(92) + "$")}" & until [ -s {tmp_path}/child ]; do :; done'
    )


@pytest.mark.parametrize(
    ("end", "complaint"),
    [("exit 0", ""), ("exit 3", "ended with status 3"), ("sleep 60", "did not end within")],
)
def test_nothing_that_a_command_started_lives_on(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, complaint: str
) -> None:
    monkeypatch.setattr("canary.processes.command.GRACE", 0.3)
    said = runs(tmp_path, f"{stubborn(tmp_path)}; {end}", timeout=3 if "sleep" in end else 60)
    assert complaint in said if complaint else said == ""
    assert not alive(int((tmp_path / "child").read_text()))


def test_a_command_that_removes_its_log_fails_with_a_sentence(runs: Runs, tmp_path: Path) -> None:
    said = runs(tmp_path, f"rm -f {tmp_path}/*.log; exit 3")
    assert "ended with status 3; its output cannot be read" in said


@pytest.mark.parametrize("end", ["wait", "exit 0"])
def test_a_signal_to_canary_ends_a_stubborn_command_within_a_second(
    runs: Runs, tmp_path: Path, end: str
) -> None:
    """This also holds after the command has ended, while canary waits for its other processes."""
    signals = Signals()
    asked = []

    def ask() -> None:
        wait_for((tmp_path / "child").exists, "the command starts")
        asked.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGTERM)

    with signals.handled():
        threading.Thread(target=ask).start()
        with pytest.raises(Interruption):
            runs(tmp_path, f"{stubborn(tmp_path)}; {end}", timeout=60)
    assert HASTE < 1
    assert time.monotonic() - asked[0] < 15  # a slow machine; without the signal it takes 60 s
    assert not alive(int((tmp_path / "child").read_text()))


def test_a_signal_in_the_middle_of_a_start_ends_what_was_started(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            if options.get("start_new_session"):
                started.append(self.pid)
                os.kill(os.getpid(), signal.SIGTERM)

    with Signals().handled():
        runs(tmp_path, "exit 0")  # git's commands, which must not be interrupted
        monkeypatch.setattr(subprocess, "Popen", Interrupted)
        with pytest.raises(Interruption):
            runs(tmp_path, "sleep 60", timeout=60)
    assert len(started) == 1
    assert not alive(started[0])


def test_a_command_that_prints_without_end_costs_a_few_megabytes_and_no_time(
    runs: Runs, tmp_path: Path
) -> None:
    began = time.process_time()
    complaint = runs(tmp_path, f"{ENDLESS}; echo; echo the end; exit 1")
    assert time.process_time() - began < 2
    assert complaint.endswith("\n    the end")
    assert len(complaint) < 1_000
    body = log(tmp_path).read_bytes()
    assert 4_000_000 < len(body) < 4_500_000
    assert b"bytes were cut here]" in body


def test_a_child_that_left_the_group_does_not_keep_canary(runs: Runs, tmp_path: Path) -> None:
    began = time.monotonic()
    assert runs(tmp_path, "setsid sleep 60 & echo done") == ""
    assert time.monotonic() - began < 20
    assert log(tmp_path).read_text() == "done\n"


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is Linux's")
def test_a_command_does_not_outlive_a_killed_canary(runs: Runs, tmp_path: Path) -> None:
    script = f"echo $$ > {tmp_path}/command; exec sleep 300"
    program = (
        "import pathlib; from tests.unit.canary import test_processes;"
        f"test_processes.{runs.__name__}(pathlib.Path({str(tmp_path)!r}), {script!r})"
    )
    canary = subprocess.Popen([sys.executable, "-c", program])
    kept = tmp_path / "command"
    wait_for(lambda: kept.exists() and kept.read_text(), "the command starts", 60)
    canary.kill()
    canary.wait()
    process = int(kept.read_text())
    try:
        wait_for(lambda: not alive(process), "the command ends", 30)
    finally:
        if alive(process):
            os.kill(process, signal.SIGKILL)


def test_a_program_of_the_directory_is_found(tmp_path: Path) -> None:
    (tmp_path / "build.sh").write_text("#!/bin/sh\npwd\n")
    (tmp_path / "build.sh").chmod(0o755)
    output = tmp_path / "log"
    found = run(["./build.sh"], output, timeout=9, environment={}, directory=tmp_path)
    assert (found, output.read_text()) == (0, f"{tmp_path}\n")


def test_a_full_disk_does_not_stop_a_command() -> None:
    command = ["sh", "-c", f"{ENDLESS} && echo done"]
    assert run(command, Path("/dev/full"), timeout=60, environment={}) == 0


def alive(process: int) -> bool:
    """Return whether a process still runs. A zombie does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False
