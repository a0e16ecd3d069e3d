"""The help and the error messages of the command."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from local_cloud import cli as module
from local_cloud.cli import cli, main


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def test_the_words_are_those_of_the_documentation() -> None:
    words = {" ".join(path) for path in commands(cli)}
    assert words == {
        *("up", "down", "destroy", "status", "ssh", "logs", "image"),
        *("host", "host start", "host stop"),
    }


@pytest.mark.parametrize("path", [(), *commands(cli)], ids=" ".join)
def test_every_help_ends_in_an_example(path: tuple[str, ...]) -> None:
    shown, short = (CliRunner().invoke(cli, [*path, option]) for option in ("--help", "-h"))
    assert (shown.exit_code, short.output) == (0, shown.output)
    assert "Example: local-cloud" in shown.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--state", "STATE", "ssh", "nobody"], 'There is no host "nobody". Hosts: none.'),
        (["--state", "STATE", "host", "stop", "x"], 'There is no host "x". Hosts: none.'),
        (
            ["--state", "STATE", "host", "start", "x", "--ip", "10.77.9.9", "--key", "STATE/k"],
            "Create one: ssh-keygen -t ed25519",
        ),
        (
            ["--state", "STATE", "host", "start", "x", "--ip", "here"],
            '"here" is not an IPv4 address',
        ),
        (
            ["--state", "STATE", "host", "start", "x", "--ip", "10.9.9.9"],
            "10.9.9.9 is not a valid host address in 10.77.0.0/16",
        ),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed = [argument.replace("STATE", str(tmp_path)) for argument in arguments]
    monkeypatch.setattr("local_cloud.cloud.status", lambda _: None)
    monkeypatch.setattr("local_cloud.lookup.instances", lambda _: [])
    monkeypatch.setattr("sys.argv", ["local-cloud", *typed])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert (ended.value.code, words in said, "Traceback" in said) == (2, True, False)


def test_status_of_nothing_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local_cloud.cloud.status", lambda _: None)
    monkeypatch.setattr("local_cloud.lookup.instances", lambda _: [])
    shown = CliRunner().invoke(cli, ["--state", str(tmp_path / "none"), "status"])
    assert shown.exit_code == 1
    assert shown.output.startswith("AWS API down: http://10.77.0.1:4566")


@pytest.mark.parametrize("private", [True, False])
def test_a_key_is_found_by_either_of_its_files(tmp_path: Path, *, private: bool) -> None:
    (tmp_path / "id").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    (tmp_path / "id.pub").write_text("ssh-ed25519 AAAA me\n")
    path = tmp_path / ("id" if private else "id.pub")
    assert module.public_key(path) == "ssh-ed25519 AAAA me"
