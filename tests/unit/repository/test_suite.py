"""``make test`` itself: a failure is shown and counts, and omitted steps are named."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import tests.__main__ as suite
from tests.__main__ import SUITES, Step
from tests.support.paths import ROOT
from tests.support.second_try import SECOND_TRY

GOOD = Step("good", (sys.executable, "-c", "print('fine')"))
BAD = Step("bad", (sys.executable, "-c", "import sys; print('the reason'); sys.exit(3)"))
HOSTS = Step("hosts", (sys.executable, "-c", "raise SystemExit('it must not run')"), hosts=True)
ROOT_ONLY = Step("root", HOSTS.command, root=True)
USER = "The local cloud boots hosts, which needs root; you are user 1000"
CONTAINER = "Cannot mount an overlay in /here"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(suite, "cannot_boot", lambda _: USER)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    # The steps of these tests start pytest, which takes seconds to import all plugins.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


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
    monkeypatch.setitem(SUITES, "quick", ([HOSTS, ROOT_ONLY], [GOOD]))
    assert suite.main() == 0
    assert f"Left out: hosts, root. {USER}." in capsys.readouterr().out


def test_root_in_a_container_leaves_out_hosts_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(suite, "cannot_boot", lambda _: CONTAINER)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    processes = Step("processes", GOOD.command, root=True)
    monkeypatch.setitem(SUITES, "quick", ([HOSTS], [processes]))
    assert suite.main() == 0
    out = capsys.readouterr().out
    assert "processes: passed" in out
    assert f"Left out: hosts. {CONTAINER}." in out


FAILS_ONCE = """
from pathlib import Path

def test_that_passes():
    pass

def test_that_fails_once():
    seen = Path(__file__).with_suffix(".seen")
    first = not seen.exists()
    seen.touch()
    assert not first
"""
FAILS = "def test_that_fails():\n    assert False\n"


@pytest.mark.parametrize(
    ("content", "wanted", "status", "words"),
    [
        (FAILS_ONCE, "1", 0, "Failed first, and passed alone: tests/test_real.py"),
        (FAILS_ONCE, "", 1, "FAILED (status 1)"),
        (FAILS, "1", 1, "FAILED (status 1)"),
    ],
)
def test_files_of_failed_tests_run_again_where_that_is_wanted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: str,
    wanted: str,
    status: int,
    words: str,
) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n", encoding="utf-8")
    (tmp_path / "tests/test_real.py").write_text(content, encoding="utf-8")
    monkeypatch.setattr(suite, "ROOT", tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv(SECOND_TRY, wanted)
    real = Step("real", ("pytest", "tests", "-q"), root=True)
    monkeypatch.setitem(SUITES, "quick", ([real],))
    assert suite.main() == status
    out = capsys.readouterr().out
    assert words in out
    assert "= FAILURES =" in out
    assert re.search("^FAILED tests/test_real.py::test_that_fails", out, re.MULTILINE)


def test_unit_tests_and_linters_have_one_try(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "once").mkdir()
    (tmp_path / "once/test_once.py").write_text(FAILS_ONCE, encoding="utf-8")
    monkeypatch.setenv(SECOND_TRY, "1")
    unit = Step("unit", ("pytest", str(tmp_path / "once"), "-q"))
    monkeypatch.setitem(SUITES, "quick", ([unit],))
    assert suite.main() == 1


def test_both_suites_name_directories_that_exist() -> None:
    for lanes in SUITES.values():
        for step in (step for lane in lanes for step in lane):
            for word in step.command:
                if word.startswith("tests/"):
                    assert (ROOT / word).is_dir(), word
