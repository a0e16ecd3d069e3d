"""Run system programs and turn their failures into error messages."""

import shlex
import subprocess
from collections.abc import Callable, Mapping

from local_cloud.errors import CommandError

LAST_LINES = 3
SHOWN_WORDS = 8


def run(
    *command: str,
    stdin: str | None = None,
    timeout: float = 900,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run ``command`` and return its output."""
    try:
        finished = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=None if environment is None else dict(environment),
        )
    except FileNotFoundError:
        raise CommandError(f"The program {command[0]} is not installed.") from None
    except subprocess.TimeoutExpired:
        message = f"`{shlex.join(command)}` did not end within {timeout:g} s."
        raise CommandError(message) from None
    if finished.returncode != 0:
        raise CommandError(refusal(command, finished.returncode, finished.stderr))
    return finished.stdout


def follow(*command: str, environment: Mapping[str, str], tell: Callable[[str], None]) -> None:
    """Run ``command``, and call ``tell`` with every line of its output."""
    said: list[str] = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(environment),
    ) as process:
        for line in process.stdout or ():
            said.append(line)
            tell(line.strip())
    if process.returncode != 0:
        raise CommandError(refusal(command, process.returncode, "".join(said)))


def succeeds(*command: str) -> bool:
    """Return whether ``command`` exits with status 0."""
    try:
        run(*command)
    except CommandError:
        return False
    return True


def refusal(command: tuple[str, ...], status: int, words: str) -> str:
    """Return the error message for a failed command, with the end of its output."""
    said = " / ".join(words.strip().splitlines()[-LAST_LINES:]) or "it said nothing"
    shown = shlex.join(command[:SHOWN_WORDS]) + (" ..." if len(command) > SHOWN_WORDS else "")
    return f"`{shown}` ended with status {status}: {said}"
