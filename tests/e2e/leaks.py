"""Where a secret could be seen by those who must not: process lists, journals, logs."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.support.repeater import Repeater


def generated(run: Path) -> dict[str, str]:
    """Return every secret of an environment, by the file that keeps it.

    Of a private key it is the middle line: the first is alike in all keys of a kind, and nothing
    but the key itself holds the rest.
    """
    found = {
        f"secrets/{path.name}": path.read_text(encoding="utf-8").split()[0]
        for path in files(run / "secrets")
    }
    for path in [*files(run / "ssh"), *files(run / "tls")]:
        lines = path.read_text(encoding="utf-8").splitlines()
        if lines[0].endswith("PRIVATE KEY-----"):
            found[f"{path.parent.name}/{path.name}"] = lines[len(lines) // 2]
    return found


def files(place: Path) -> list[Path]:
    """Return the files under a directory that hold something; an absent one has none."""
    return [path for path in sorted(place.rglob("*")) if path.is_file() and path.stat().st_size]


def shown(text: str, secrets: Mapping[str, str]) -> set[str]:
    """Return the names of the secrets that stand in a text."""
    return {name for name, value in secrets.items() if value in text}


def printed(command: Sequence[str], secrets: Mapping[str, str]) -> set[str]:
    """Return the names of the secrets that a command prints, however much it prints.

    What is searched for goes by a file of our own: on a command line it would find itself.
    """
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as patterns:
        patterns.write("\n".join(secrets.values()) + "\n")
        patterns.flush()
        grep = ["grep", "--text", "--fixed-strings", "--only-matching", f"--file={patterns.name}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as printing:
            matched = subprocess.run(
                grep, stdin=printing.stdout, capture_output=True, text=True, check=False
            )
    assert printing.returncode == 0, command
    assert matched.returncode in (0, 1), matched.stderr
    return shown(matched.stdout, secrets)


def journal(directory: Path) -> list[str]:
    """Return the command that prints a journal with all its fields, command lines among them."""
    return ["journalctl", f"--directory={directory}", "--all", "--output=export", "--no-pager"]


def written(paths: Iterable[Path], secrets: Mapping[str, str]) -> dict[str, set[str]]:
    """Return, by file, the names of the secrets that stand in it."""
    texts = ((path, path.read_text(encoding="utf-8", errors="replace")) for path in paths)
    found = {str(path): shown(text, secrets) for path, text in texts}
    return {path: names for path, names in found.items() if names}


class ProcessList(Repeater):
    """The command lines of all processes of this machine; processes of its hosts are among them."""

    pause = 0.05  # a process that lives for less may be missed

    def __init__(self) -> None:
        super().__init__()
        self.lines: set[str] = set()

    def look(self) -> None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes()
            except OSError:  # it has ended
                continue
            self.lines.add(line.replace(b"\0", b" ").decode(errors="replace"))
