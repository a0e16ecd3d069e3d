"""Reads the journal from a position, in batches that CloudWatch accepts in one call."""

from __future__ import annotations

import itertools
import json
import logging
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOG = logging.getLogger(__name__)
MOST_EVENTS = 1_000
MOST_BYTES = 500_000
LONGEST = 50_000
"""Characters of one message; CloudWatch refuses an event of more than 256 kB."""
LONGEST_SPAN = 23 * 3600 * 1000
"""Milliseconds between the first and the last event; CloudWatch refuses more than 24 hours."""
FIELDS = {"unit": "_SYSTEMD_UNIT", "program": "SYSLOG_IDENTIFIER", "priority": "PRIORITY"}


@dataclass(frozen=True)
class Entry:
    """One entry: its position in the journal, its time in milliseconds, and its text."""

    position: str
    timestamp: int
    text: str


def parse(line: bytes) -> Entry:
    """Parse a line of ``journalctl --output=json``."""
    entry: dict[str, Any] = json.loads(line)
    kept = {name: entry[field] for name, field in FIELDS.items() if field in entry}
    kept["message"] = text(entry.get("MESSAGE"))[:LONGEST]
    stamp = int(entry["__REALTIME_TIMESTAMP"]) // 1000
    return Entry(entry["__CURSOR"], stamp, json.dumps(kept, ensure_ascii=False))


def text(message: Any) -> str:
    """Return a message. journalctl writes binary data as numbers, and repeated fields as a list.

    >>> text([72, 105]), text(["a", "b"]), text(None)
    ('Hi', 'a b', '')
    """
    if isinstance(message, list):
        if all(isinstance(part, int) for part in message):
            return bytes(message).decode(errors="replace")
        return " ".join(map(text, message))
    return message or ""


def batch(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the first entries: as many as one call may contain, but at least one."""
    size, times = 0, list[int]()
    for entry in itertools.islice(entries, MOST_EVENTS):
        size += len(entry.text.encode()) + 26
        times.append(entry.timestamp)
        too_long = max(times) - min(times) > LONGEST_SPAN
        if len(times) > 1 and (size > MOST_BYTES or too_long):
            return
        yield entry


class Journal:
    """The host's journal, and the position up to which it was sent."""

    def __init__(self, position: Path, program: str = "journalctl") -> None:
        self.position = position
        self.program = program

    def read(self) -> list[Entry]:
        """Return at most one batch of entries after the position, or from the start without one."""
        known = self.position.read_text(encoding="utf-8") if self.position.exists() else ""
        words = [self.program, "--output=json", "--all", "--priority=info", "--no-pager"]
        words += [f"--after-cursor={known}"] if known else []
        with subprocess.Popen(words, stdout=subprocess.PIPE) as journalctl:
            found = list(batch(map(parse, journalctl.stdout or ())))
            if found:
                journalctl.kill()
        if journalctl.returncode and not found:
            LOG.error("journalctl refused position %r, so the journal is sent again", known)
            self.position.unlink(missing_ok=True)
        return found

    def move(self, position: str) -> None:
        """Store the position up to which the journal was sent, atomically."""
        partial = self.position.with_suffix(".new")
        partial.write_text(position, encoding="utf-8")
        partial.replace(self.position)
