"""``make test`` itself: a failure is shown and counts, and what is left out is named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import tests.__main__ as suite
from tests.__main__ import SUITES, Step
from tests.support.paths import ROOT

GOOD = Step("good", (sys.executable, "-c", "print('fine')"))
BAD = Step("bad", (sys.executable, "-c", "import sys; print('the reason'); sys.exit(3)"))
HOSTS = Step("hosts", (sys.executable, "-c", "raise SystemExit('it must not run')"), root=True)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(suite, "boots_hosts", lambda: False)


def test_every_step_passes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(SUITES, "quick", ([GOOD], [GOOD]))
    assert suite.main() == 0
    assert (tmp_path / "logs/good.log").read_text(encoding="utf-8") == "fine\n"


def test_a_failure_is_shown_and_the_steps_after_it_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(SUITES, "quick", ([], [BAD, GOOD]))
    assert suite.main() == 1
    out = capsys.readouterr().out
    assert "the reason" in out
    assert "bad: FAILED (status 3)" in out
    assert "good: passed" in out


def test_without_root_what_needs_it_is_left_out_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(SUITES, "quick", ([HOSTS], [GOOD]))
    assert suite.main() == 0
    assert "Left out, since they need Linux and root: hosts." in capsys.readouterr().out


def test_both_suites_name_directories_that_exist() -> None:
    for lanes in SUITES.values():
        for step in (step for lane in lanes for step in lane):
            for word in step.command:
                if word.startswith("tests/"):
                    assert (ROOT / word).is_dir(), word
