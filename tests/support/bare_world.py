"""An environment without AWS and without metrics: a real HAProxy and two small servers.

boto3 cannot be imported.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.canary_load import Quiet, send_requests
from tests.support.canary_world import World
from tests.support.paths import short_directory

POLICY = Path(".run/test/canary.yml")
DEPLOY = "sh -c 'echo {colour} {release} >> deployed.txt'"
BAD = "1.2-bad"
SHORTER = {
    "period: 10s ": "period: 2s ",
    "warmup: 1m ": "warmup: 4s ",
    "minimum: 5m ": "minimum: 20s ",
    "maximum: 30m ": "maximum: 120s ",
    "steps: [5%, 20%, 50%]": "steps: [20%, 50%]",
    "negligible: 0.5%": "negligible: 3%",
    "proxy.latency, margin: 20%": "proxy.latency, margin: 100%, negligible: 50ms",
}
WITHOUT_AWS = "import sys\nsys.modules['boto3'] = sys.modules['botocore'] = None\n"


class Failing(Quiet):
    """Fails a tenth of the requests if the bad release is installed. Health checks succeed."""

    def do_GET(self) -> None:  # noqa: N802 - the library's name
        if self.path == "/" and self.server.release() == BAD and random.random() < 0.1:  # noqa: S311
            self.send_response(500)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_GET()


class Bare(World):
    """An environment without a cloud."""

    def _start(self) -> None:
        self._start_proxy()
        self.repository = self.directory / "repository"
        self.repository.mkdir()
        stop = threading.Event()
        for _ in range(3):
            self._meanwhile(send_requests, self.port, stop)
        self._stack.callback(stop.set)

    def started(self, *words: str) -> dict[str, object]:
        """Run a command that must succeed; return its output."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        found: dict[str, object] = json.loads(done.stdout)
        return found


@contextmanager
def bare_world(monkeypatch: pytest.MonkeyPatch, servers: type[Quiet] = Failing) -> Iterator[Bare]:
    """Yield a world with these servers."""
    monkeypatch.setattr("tests.support.canary_world.Quiet", servers)
    with short_directory() as directory:
        (directory / "python").mkdir()
        (directory / "python" / "sitecustomize.py").write_text(WITHOUT_AWS)
        monkeypatch.setenv("PYTHONPATH", f"{directory}/python")
        with Bare(directory) as made:
            yield made


def shorten(path: Path, shorter: Mapping[str, str] = SHORTER) -> None:
    """Make the policy short enough for a test."""
    text = path.read_text(encoding="utf-8")
    for old, new in shorter.items():
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
