"""The Dockerfile: linted, without root, and with existing files. CI builds it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.paths import ROOT

DOCKERFILE = ROOT / "Dockerfile"


def instructions() -> list[tuple[str, str]]:
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def lint(path: Path) -> subprocess.CompletedProcess[str]:
    command = ["hadolint", "--failure-threshold", "style", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_hadolint_finds_nothing() -> None:
    done = lint(DOCKERFILE)
    assert done.returncode == 0, done.stdout


def test_hadolint_would_find_something(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python\nRUN cd /opt && pip install bottle\n", encoding="utf-8")
    assert lint(bad).returncode != 0


def test_what_built_it_stays_behind_and_nobody_is_root() -> None:
    words = instructions()
    assert [name for name, _ in words].count("FROM") == 2
    last = words[max(i for i, (name, _) in enumerate(words) if name == "FROM") :]
    assert ("USER", "10001") in last
    assert not any("pip install" in text for _, text in last)
    assert any("--require-hashes" in text for _, text in words)


def test_what_is_copied_is_there() -> None:
    for name, text in instructions():
        if name == "COPY" and "--from" not in text:
            assert (ROOT / text.split()[0]).exists(), text


def test_the_python_is_the_one_that_hosts_have() -> None:
    bases = {text.split()[0] for name, text in instructions() if name == "FROM"}
    assert bases == {"python:3.11-slim-bookworm"}
