"""The forced command of the SSH key, and the allowed arguments."""

from __future__ import annotations

import pytest
from shop_traffic import cli
from shop_traffic.config import RefusedError

from tests.support.proxy_world import World

# ---- the forced command


@pytest.mark.parametrize(
    "line",
    [
        "",
        "prepare",
        "restore",
        "sh",
        "status; reboot",
        "release --expired x",
        "release --expired=x",
        "'",
        "$(id)",
    ],
)
def test_the_door_opens_to_public_words_alone(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_ORIGINAL_COMMAND", line)
    monkeypatch.setattr(cli, "main", lambda _: pytest.fail("it opened"))
    with pytest.raises(SystemExit) as refused:
        cli.door()
    assert str(refused.value).startswith("shop-traffic: ")


@pytest.mark.parametrize("line", ["status", "shop-traffic status", "renew --lease 15"])
def test_the_door_passes_words_on(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[list[str]] = []
    monkeypatch.setenv("SSH_ORIGINAL_COMMAND", line)
    monkeypatch.setattr(cli, "main", passed.append)
    cli.door()
    assert passed == [line.removeprefix("shop-traffic ").split()]


@pytest.mark.parametrize("seconds", ["inf", "nan", "-1", "1e9", "soon"])
def test_a_wait_has_an_end(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("drain", "ready"):
        with pytest.raises(SystemExit) as refused:
            cli.main([command, "--server", "blue-1", "--wait", seconds])
        assert refused.value.code == 2
        assert "is not a number of seconds up to 3600" in capsys.readouterr().err


def test_a_word_that_does_not_exist_is_refused_with_those_that_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as refused:
        cli.main(["raise"])
    assert refused.value.code == 2
    assert "promote" in capsys.readouterr().err


def test_matched_needs_its_server(world: World) -> None:
    asked = cli.parser().parse_args(
        ["set", "--candidate", "green", "--share", "0.1", "--lease", "9", "--matched"]
    )
    with pytest.raises(RefusedError, match="go together"):
        cli.answer(world.traffic, asked)
