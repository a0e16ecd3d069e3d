"""Run the commands of a page one after another, in one shell in a clone."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.releases import AUTHOR

INDENTED = re.compile(r"(?:^\n|\A)((?:^ {4}\S.*\n)+)", re.MULTILINE)
END = "@@ ended with"


@dataclass(frozen=True)
class Command:
    """A command line of a page, and how often it occurred before."""

    page: str
    line: str
    before: int


@dataclass(frozen=True)
class Instead:
    """The replacement for a command that the test cannot run, and the reason."""

    why: str
    line: str


@dataclass(frozen=True)
class Told:
    """The output and the exit status of a command. The status is None if the shell hung."""

    command: Command
    output: str
    status: int | None


def commands(page: str) -> Iterator[Command]:
    """Read the indented blocks; fenced blocks are output or files."""
    text = (ROOT / page).read_text(encoding="utf-8")
    seen: Counter[str] = Counter()
    for block in INDENTED.findall(re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)):
        for line in block.splitlines():
            plain = re.sub(r"\s+# .*", "", line.strip())
            yield Command(page, plain, seen[plain])
            seen[plain] += 1


def clone(place: Path) -> Path:
    """Clone the commit, and link the existing virtual environment and what is in .run.

    The environment "prod" of the pages is new in each clone.
    """
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(place)], check=True)
    (place / ".venv").symlink_to(ROOT / ".venv")
    (place / ".run").mkdir()
    for each in (ROOT / ".run").iterdir():
        if each.name != "prod":
            (place / ".run" / each.name).symlink_to(each)
    editor = place.parent / "editor"
    editor.write_text("#!/bin/sh\necho '<!-- hello -->' >> \"$1\"\n", encoding="utf-8")
    editor.chmod(0o755)
    return place


def walk(page: str, place: Path, instead: Mapping[Command, Instead]) -> list[Told]:
    """Run the commands of a page in one shell, so directory and variables persist."""
    wanted = list(commands(page))
    script = ["exec 2>&1"]
    for each in wanted:
        line = instead[each].line if each in instead else each.line
        script += [line, rf"printf '\n{END} %s\n' $?"]
    known = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("LOCAL_CLOUD_", "CART_CANARY_RUN", "HOME", "LANG", "XDG_CACHE_HOME"))
    }
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    environment = known | AUTHOR | {"PATH": path, "EDITOR": str(place.parent / "editor")}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", "\n".join(script)],
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    said = re.split(rf"^{END} (\d+)\n", done.stdout, flags=re.MULTILINE)
    outputs, statuses = said[0::2], [int(each) for each in said[1::2]]
    missing = len(wanted) - len(statuses)
    return [
        Told(command, output, status)
        for command, output, status in zip(
            wanted, [*outputs, *[""] * missing], [*statuses, *[None] * missing], strict=False
        )
    ]
