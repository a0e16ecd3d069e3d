"""The commits of a public repository, read with git, from allowed hosts.

The URL is untrusted: only https, only allowed hosts, no redirects, no injected options, no
credentials, a limit of time and of size.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from app.errors import ProblemError
from app.settings import Settings

SECONDS = 10
MEGABYTES = 64
MAX_LISTING = 4_000_000
MAX_TEXT = 200
MAX_COMMITS = 1_000
MAX_LIMIT = 100
PATH_PATTERN = "(/[A-Za-z0-9_~][A-Za-z0-9._~-]*)+/?"
_PATH = re.compile(PATH_PATTERN)
_VISIBLE = re.compile(r"[\x21-\x7e]{1,300}")
#: Terminated by NUL, which no author and no subject can contain.
_FORMAT = "%H%x00%an%x00%aI%x00%s%x00"
_FIELDS = 4


log = logging.getLogger("shop.commits")


class Commit(msgspec.Struct):
    hash: str
    author: str
    date: str
    subject: str


class Commits:
    def __init__(self, settings: Settings) -> None:
        self._hosts = frozenset(host.lower() for host in settings.git_hosts)
        self._ca = settings.git_ca
        # one at a time in each worker: git is slow, and the other threads serve shoppers
        self._turn = threading.Semaphore(1)

    def page(self, url: str, limit: int, skip: int) -> tuple[list[Commit], bool]:
        """Return at most ``limit`` commits, newest first, and whether there are more."""
        url = self._checked(url)
        if skip + limit > MAX_COMMITS:
            raise ProblemError(422, f"Only the newest {MAX_COMMITS} commits are listed.", "skip")
        if not self._turn.acquire(blocking=False):
            raise ProblemError(429, "Another repository is being read.", retry_after=1)
        try:
            commits = self._read(url, skip + limit + 1)[skip:]
        except OSError as error:  # git is missing, or there is no space for a repository
            log.warning("git cannot run: %s", error)
            raise _unavailable() from error
        finally:
            self._turn.release()
        return commits[:limit], len(commits) > limit

    def _checked(self, url: str) -> str:
        """Return the normalized URL, or reject it before any request."""
        if not _VISIBLE.fullmatch(url):  # urlsplit would silently remove a newline
            raise _refused("must be 1 to 300 visible ASCII characters")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise _refused("is not an address") from None
        host = (parts.hostname or "") + (f":{port}" if port else "")
        if parts.scheme != "https" or parts.username is not None or parts.password is not None:
            raise _refused("must be https://host/path, without a user")
        if host not in self._hosts:
            hosts = ", ".join(sorted(self._hosts))
            raise ProblemError(403, f"url must be on one of {hosts}.", "url")
        if parts.query or parts.fragment or not _PATH.fullmatch(parts.path):
            raise _refused("must have a plain path, and nothing after it")
        return f"https://{host}{parts.path}"

    def _read(self, url: str, depth: int) -> list[Commit]:
        deadline = time.monotonic() + SECONDS
        with tempfile.TemporaryDirectory(prefix="shop-git-") as directory:
            clone = ["clone", "--quiet", "--bare", "--no-tags", "--single-branch"]
            limits = [f"--depth={depth}", "--filter=tree:0"]
            self._git([*clone, *limits, "--", url, f"{directory}/repository"], directory, deadline)
            listing = ["log", f"--max-count={depth}", f"--format={_FORMAT}"]
            listing = ["--git-dir", f"{directory}/repository", *listing]
            text = self._git(listing, directory, deadline).decode(errors="replace")
        fields = [field.strip()[:MAX_TEXT] for field in text.split("\0")]
        whole = range(0, len(fields) - _FIELDS + 1, _FIELDS)
        return [Commit(*fields[at : at + _FIELDS]) for at in whole]

    def _git(self, arguments: list[str], directory: str, deadline: float) -> bytes:
        configured = ["protocol.allow=never", "protocol.https.allow=always"]
        configured += ["http.followRedirects=false", "credential.helper="]
        configured += [f"http.sslCAInfo={self._ca}"] if self._ca else []
        options = [word for each in configured for word in ("-c", each)]
        output = Path(directory, "output")
        with output.open("wb") as out, Path(directory, "reason").open("wb") as reason:
            process = subprocess.Popen(
                ["git", *options, *arguments],
                env=_environment(directory),
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=reason,
                start_new_session=True,  # with its helper processes, which fetch
            )
            _wait(process, directory, deadline)
        if process.returncode < 0:  # the kernel killed it, because memory ran out
            log.warning("git was ended by signal %s", -process.returncode)
            raise _unavailable()
        if (
            process.returncode
        ):  # the reason goes to the log only: in a response it would help to probe the network
            log.info("git: %s", Path(directory, "reason").read_text(errors="replace")[-500:])
            raise ProblemError(404, "git cannot read a repository there.", "url")
        with output.open("rb") as listing:
            return listing.read(MAX_LISTING)


def _wait(process: subprocess.Popen[bytes], directory: str, deadline: float) -> None:
    """Wait for git, with limits of time and disk space."""
    while process.poll() is None:
        time.sleep(0.02)
        late = time.monotonic() > deadline
        if late or _size(directory) > MEGABYTES * 1_000_000:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            over = f"it took over {SECONDS} s" if late else f"it is over {MEGABYTES} MB"
            raise ProblemError(404, f"It could not be read: {over}.", "url")


def _size(directory: str) -> int:
    total = 0
    for root, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):  # git has removed or renamed it
                total += Path(root, name).stat().st_size
    return total


def _environment(home: str) -> dict[str, str]:
    """Return an environment without the shop's passwords, proxies and configuration."""
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": home,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "GIT_ALLOW_PROTOCOL": "https",
    }


def _unavailable() -> ProblemError:
    return ProblemError(503, "This instance cannot run git now; try again.", retry_after=5)


def _refused(reason: str) -> ProblemError:
    return ProblemError(422, f"url {reason}.", "url")
