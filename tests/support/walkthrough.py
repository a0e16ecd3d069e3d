"""The commands of a README, in its order, typed into a shell as a newcomer does."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COMMITTER = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in {"NAME": "newcomer", "EMAIL": "newcomer@example.org"}.items()
}
"""The environment variables with which a newcomer commits."""
_HEADING = re.compile(r"^## (?:\d+\. )?(.+)$", re.MULTILINE)
_BLOCK = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)


@dataclass(frozen=True)
class Said:
    """The result of a command: exit status and output."""

    status: int
    out: str
    err: str


def sections(page: Path) -> dict[str, list[str]]:
    """Return the indented blocks of commands below each heading."""
    _, *parts = _HEADING.split(page.read_text(encoding="utf-8"))
    return {
        heading: [re.sub("^ {4}", "", block, flags=re.MULTILINE) for block in _BLOCK.findall(text)]
        for heading, text in zip(parts[::2], parts[1::2], strict=True)
    }


def type_in(block: str, directory: Path, environment: Mapping[str, str]) -> Said:
    """Type a block of commands. The first failed command ends it."""
    done = subprocess.run(
        ["bash", "-eu", "-c", block],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)
