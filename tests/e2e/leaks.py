"""Search for secrets in process lists, journals and logs."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.support.repeater import Repeater


def generated(run: Path) -> dict[str, str]:
    """Return every secret of an environment by its file.

    For a private key, return the middle line: the first line is the same in all keys of a kind.
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
    """Return the non-empty files under a directory; none if it does not exist."""
    return [path for path in sorted(place.rglob("*")) if path.is_file() and path.stat().st_size]


def shown(text: str, secrets: Mapping[str, str]) -> set[str]:
    """Return the names of the secrets in a text."""
    return {name for name, value in secrets.items() if value in text}


def printed(command: Sequence[str], secrets: Mapping[str, str]) -> set[str]:
    """Return the names of the secrets in the output of a command of any size.

    The patterns are in a file, because the search would find them on its own command line.
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
    """Return the command that prints a journal with all fields, including command lines."""
    return ["journalctl", f"--directory={directory}", "--all", "--output=export", "--no-pager"]


def written(paths: Iterable[Path], secrets: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the names of the secrets in each file."""
    texts = ((path, path.read_text(encoding="utf-8", errors="replace")) for path in paths)
    found = {str(path): shown(text, secrets) for path, text in texts}
    return {path: names for path, names in found.items() if names}


class ProcessList(Repeater):
    """The command lines of all processes of this machine, including those of its hosts."""

    pause = 0.05  # a process that lives for a shorter time may be missed

    def __init__(self) -> None:
        super().__init__()
        self.lines: set[str] = set()

    def look(self) -> None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes()
            except OSError:  # the process has ended
                continue
            self.lines.add(line.replace(b"\0", b" ").decode(errors="replace"))
