"""Commands refuse what is no regular file: a pipe without a writer, a device, a directory.

Otherwise they would wait for the pipe for ever, or fill the memory from the device.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from canary import cli
from canary.errors import CanaryError
from canary.live.files import read as read_live
from canary.reading import TooLargeError, read_bytes
from tests.support.shared_locks import ProxyHost
from tests.unit.canary.cli_shell import Shell, shell
from tests.unit.canary.test_cli_analysis import points
from tests.unit.canary.test_state_files import laptop

PATIENCE = 120
"""Seconds after which a test that waits for a pipe fails."""
FILE = "it"
canary = pytest.fixture(shell)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def directory(path: Path) -> None:
    path.mkdir()


NO_FILES = [(pipe, "a named pipe"), (device, "a device"), (directory, "a directory")]
Make = Callable[[Path], None]
no_files = pytest.mark.parametrize(("make", "kind"), NO_FILES)


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """Let a test fail, instead of hanging, if something waits."""

    def fail(*_: object) -> None:
        raise AssertionError("it waits for a pipe")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(PATIENCE)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def with_policy() -> list[tuple[str, ...]]:
    """Return each command that reads a policy, with its other arguments."""
    needed = {
        "approve": ("c1", "50%"),
        "deploy": ("HEAD",),
        "promote": ("--colour", "green"),
        "replay": ("recording.json",),
        "run": ("--candidate", "v2"),
    }
    context = click.Context(cli.cli)
    found = []
    for name in cli.cli.list_commands(context):
        command = cli.cli.get_command(context, name)
        assert command is not None
        if any("--policy" in parameter.opts for parameter in command.params):
            found.append((name, *needed.get(name, ()), "--policy", FILE))
    return found


OTHERS = [
    ("check", FILE),
    ("replay", FILE),
    ("import-kayenta", FILE),
    ("doctor", "--needs", FILE),
    ("analyze", "--env", "test", "--csv", FILE),
    ("suggest", "--csv", FILE),
    ("plan", "--env", "test", "--recording", FILE),
]


def test_every_command_that_reads_a_policy_is_tried() -> None:
    assert len(with_policy()) >= 18


@pytest.mark.parametrize("words", [*with_policy(), *OTHERS], ids=" ".join)
@no_files
def test_what_is_no_file_is_a_sentence(
    canary: Shell, words: tuple[str, ...], make: Make, kind: str
) -> None:
    make(Path(FILE))
    if "recording.json" in words:
        points(Path("points.csv"), 1.0)
        record = ("analyze", "--env", "test", "--csv", "points.csv", "--record", "recording.json")
        assert canary(*record)[0] != 2
    refused(canary, words, kind)


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--candidate", "v2"),
        ("plan", "--rate", "50"),
        ("analyze", "--csv", "points.csv"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("name", ["canary.yml", "calibration.json"])
@no_files
def test_nor_do_the_files_of_an_environment_have_to_be_files(
    canary: Shell, words: tuple[str, ...], name: str, make: Make, kind: str
) -> None:
    points(Path("points.csv"), 1.0)
    (canary.policy.parent / name).unlink(missing_ok=True)
    make(canary.policy.parent / name)
    refused(canary, (*words, "--env", "test"), kind)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("controller.lock", ("resume",)),
        ("checkpoint.json", ("resume",)),
        ("outcome.json", ("resume",)),
        ("outcome.json", ("attach", "c1")),
    ],
)
@no_files
def test_nor_do_the_files_of_a_canary(
    canary: Shell, name: str, words: tuple[str, ...], make: Make, kind: str
) -> None:
    place = canary.policy.parent / "canaries" / "c1"
    place.mkdir(parents=True)
    (place / "controller.lock").touch()
    (place / "policy.yml").write_bytes(canary.policy.read_bytes())
    (place / name).unlink(missing_ok=True)
    make(place / name)
    status, out, err = canary(*words, "--env", "test")
    assert (status, out) == (2, "")
    assert "Traceback" not in err
    assert f"it is {kind}" in err


@pytest.mark.parametrize("name", ["events.jsonl", "judgements.jsonl"])
@no_files
def test_nor_do_those_of_its_page(tmp_path: Path, name: str, make: Make, kind: str) -> None:
    (tmp_path / "live").mkdir()
    make(tmp_path / "live" / name)
    with pytest.raises(OSError, match=f"it is {kind}"):
        read_live(tmp_path)


@no_files
def test_nor_does_the_state(tmp_path: Path, make: Make, kind: str) -> None:
    state, place = laptop(tmp_path / "state", ProxyHost(tmp_path)), tmp_path / "state"
    (place / "history").mkdir(parents=True)
    (place / "objects").mkdir()
    for name, read in (
        ("live.json", state.live),
        ("history/c1.json", lambda: state.history(5)),
        ("objects/calibration.json", lambda: state.fetch("calibration.json")),
    ):
        make(place / name)
        with pytest.raises(CanaryError, match=f"it is {kind}"):
            read()


def test_a_compressed_file_is_not_unpacked(canary: Shell) -> None:
    """A megabyte can expand to a gigabyte. Only archives of releases are unpacked, with a limit."""
    bomb = Path("points.csv.gz")
    bomb.write_bytes(gzip.compress(bytes(20_000_000)))
    for words in (
        ("analyze", "--env", "test", "--csv"),
        ("suggest", "--csv"),
        ("plan", "--env", "test", "--recording"),
        ("check",),
        ("import-kayenta",),
    ):
        status, out, err = canary(*words, str(bomb))
        assert (status, out) == (2, "")
        assert "Traceback" not in err
        assert "points.csv.gz" in err
        assert "is compressed; unpack it first: gunzip" in err


def test_a_file_is_read_to_its_end_and_no_further(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(2_000_000))
    assert read_bytes(path, 2) == bytes(2_000_000)
    path.write_bytes(bytes(2_000_001))
    with pytest.raises(TooLargeError, match="it is larger than 2 MB"):
        read_bytes(path, 2)


def test_every_file_is_read_within_the_limits_of_one_module() -> None:
    """The limits are in ``canary/reading.py``. The output of hooks is in canary's own files."""
    package = Path(cli.__file__).parents[1]
    own = {"reading.py", "processes/output.py", "doctor/cost.py", "simulation/world.py"}
    found = {
        f"{name}: {line.strip()}"
        for path in package.rglob("*.py")
        if (name := path.relative_to(package).as_posix()) not in own
        for line in path.read_text().splitlines()
        if re.search(r"\.read_text\(|\.read_bytes\(|\.open\([\"']r|(?<![\w.])open\(", line)
    }
    assert not found


def test_a_link_to_a_file_is_a_file(canary: Shell) -> None:
    shutil.copy(canary.policy, "real.yml")
    Path("link.yml").symlink_to("real.yml")
    assert canary("check", "link.yml")[0] == 0


def refused(canary: Shell, words: tuple[str, ...], kind: str) -> None:
    """Run a command that must end with an error sentence about the file."""
    status, out, err = canary(*words)
    assert (status, out) == (2, "")
    assert "Traceback" not in err
    assert f"it is {kind}, and only a file is read" in err
