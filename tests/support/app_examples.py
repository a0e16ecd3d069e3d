"""The documented examples: every curl command of app/README.md, run literally."""

from __future__ import annotations

import re
import subprocess

from tests.support.paths import ROOT

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
WRITTEN = "http://127.0.0.1:8080"


def documented_examples() -> list[tuple[str, str]]:
    """Return each curl command in app/README.md with the response below it."""
    text = (ROOT / "app/README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    examples = []
    for block in blocks:
        for command, answer in re.findall(r"^\$ (curl .*?)\n(.*?)(?=^\$ |\Z)", block, re.M | re.S):
            examples.append((command, answer.strip()))
    return examples


def agree(documented: str, answered: str) -> bool:
    """Return whether both are equal, except for UUIDs and parts replaced by ``...``."""
    parts = re.split(rf"({UUID}|\.\.\.)".replace("(-", "(?:-"), documented)
    stands_for = [UUID if re.fullmatch(UUID, part) else ".*" for part in parts[1::2]]
    pattern = re.escape(parts[0])
    for wild, plain in zip(stands_for, parts[2::2], strict=True):
        pattern += wild + re.escape(plain)
    return re.fullmatch(pattern, answered, re.DOTALL) is not None


def answer_as_documented(url: str) -> None:
    """Run all examples against an empty shop. Only the address and the UUIDs may differ.

    The UUIDs of a response are used in the commands after it.
    """
    examples = documented_examples()
    assert len(examples) >= 15
    known: dict[str, str] = {}
    for command, documented in examples:
        for written, real in known.items():
            command = command.replace(written, real)
        command = command.replace(WRITTEN, url)
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
        assert agree(documented, done.stdout.strip()), f"{command}\nanswered {done.stdout}"
        old = [found.group() for found in re.finditer(UUID, documented)]
        new = [found.group() for found in re.finditer(UUID, done.stdout)]
        known |= dict(zip(old, new, strict=True))
