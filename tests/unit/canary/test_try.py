"""``canary try``: a simulated canary that runs wherever Python does."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from canary.model import Verdict
from canary.offline.replay import judge_looks
from canary.policy import load_policy
from canary.recording import load_recording
from canary.simulation import World
from tests.unit.canary.cli_shell import Shell, shell

canary = pytest.fixture(shell, name="canary")

FILES = {"outcome.json", "recording.json", "report.html", "report.json", "report.md"}


class Silent:
    """An observer that shows nothing."""

    def event(self, event: object) -> None:
        pass

    def look(self, recording: object, judgements: object) -> None:
        pass


def test_a_good_release_passes_a_bad_one_fails_and_both_have_reports(canary: Shell) -> None:
    status, out, err = canary("try", "--json")
    assert status == 0, err
    found = json.loads(out)
    assert {name: each["verdict"] for name, each in found.items()} == {
        "good": "PASS",
        "bad": "FAIL",
    }
    for name, each in found.items():
        directory = Path("canary-try") / name
        assert {path.name for path in directory.iterdir()} == FILES
        assert each["verdict"] in Path(each["report"]).read_text(encoding="utf-8")
    assert "green is live and carries all traffic" in err
    good = load_recording(Path("canary-try/good/recording.json"))
    assert [good.baseline.name, good.candidate.name] == ["v1.0", "v1.1"]
    assert "==> Release v1.2: it is a third slower" in err


def test_the_text_names_both_reports_and_a_command_that_works(canary: Shell) -> None:
    status, out, _ = canary("try", "--directory", "here")
    assert status == 0
    for name in ("good", "bad"):
        assert str(Path("here") / name / "report.html") in out
    (line,) = [line for line in out.splitlines() if "canary replay" in line]
    words = line.partition("canary ")[2].split()
    assert canary(*words)[0] == 1, "the recording of the bad release replays to FAIL"


def test_every_run_is_the_same_and_another_seed_is_not(tmp_path: Path) -> None:
    def recorded(name: str, seed: int) -> bytes:
        directory = tmp_path / name
        directory.mkdir()
        World(seed=seed).run("bad", "v1.2", directory, Silent())
        return b"".join(path.read_bytes() for path in sorted(directory.iterdir()))

    assert recorded("one", 1) == recorded("two", 1)
    assert recorded("three", 2) != recorded("four", 3)


@pytest.mark.long
@pytest.mark.parametrize("seed", [2, 3])
def test_other_seeds_tell_the_same_story(seed: int, tmp_path: Path) -> None:
    world = World(seed=seed)
    found = [world.run(ref, ref, tmp_path, Silent()) for ref in ("v1.1", "v1.2")]
    assert [outcome.verdict for outcome in found] == [Verdict.PASS, Verdict.FAIL]
    assert [outcome.live for outcome in found] == ["green", "green"]
    assert all(outcome.warnings == [] for outcome in found)


def test_the_recording_is_one_that_replays_bit_for_bit(canary: Shell) -> None:
    canary("try")
    policy = load_policy(Path("canary-try/policy.yml"))
    for name in ("good", "bad"):
        report = json.loads(Path(f"canary-try/{name}/report.json").read_text(encoding="utf-8"))
        again = judge_looks(policy, load_recording(Path(f"canary-try/{name}/recording.json")))
        assert again[-1].verdict == report["verdict"]
        assert again[-1].reason == report["reason"]


def test_a_directory_with_other_files_is_left_alone(canary: Shell) -> None:
    mine = Path("mine")
    mine.mkdir()
    (mine / "notes.txt").write_text("keep me")
    status, _, err = canary("try", "--directory", "mine")
    assert status == 2
    assert "mine has other files (notes.txt). Name an empty directory" in err
    assert [path.name for path in mine.iterdir()] == ["notes.txt"]


def test_in_a_terminal_it_is_live_and_slow_enough_to_follow(
    canary: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen, slept = io.StringIO(), list[float]()
    terminal = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr("canary.cli.try_.Console", lambda **_: terminal)
    monkeypatch.setattr("canary.simulation.clock.sleep", slept.append)
    assert canary("try")[0] == 0
    assert screen.getvalue().count("WATCHING") > 30
    assert 2 < sum(slept) < 10, "seconds"


ELSEWHERE = """
import os, select, signal, socket, sys, time

for name in ("fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"):
    sys.modules[name] = None  # importing it raises ImportError, as on Windows
for name in ("boto3", "botocore", "matplotlib"):
    sys.modules[name] = None  # extras, which a newcomer has not installed

GONE = {
    os: "fork forkpty getuid geteuid getgid getegid setsid killpg getpgid chown mkfifo openpty",
    signal: "SIGHUP SIGKILL SIGUSR1 SIGUSR2 SIGALRM SIGCHLD SIGPIPE SIGQUIT setitimer alarm",
    time: "CLOCK_BOOTTIME CLOCK_MONOTONIC clock_gettime clock_gettime_ns",
    select: "poll epoll",
    socket: "AF_UNIX",
}
for module, names in GONE.items():
    for name in names.split():
        delattr(module, name)


def refused(*_, **__):
    raise OSError("there is no network here")


socket.socket.connect = socket.socket.bind = socket.getaddrinfo = refused
sys.argv = ["canary", "try"]
from canary.cli import main
main()
"""


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_it_needs_no_posix_no_network_and_no_unicode(tmp_path: Path, encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(encoding)
    assert b"v1.1: PASS" in done.stdout
    assert (tmp_path / "canary-try/bad/report.html").stat().st_size > 50_000
