"""Real servers for the tests of the shop, each on a free port in its own directory."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.ports import free_port
from tests.support.waiting import wait_for

TIMEOUT = 30.0


def program(name: str) -> str:
    """Return the path of a Debian program; a missing one is a failure, not a skip."""
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), "/usr/bin"]
    found = shutil.which(name, path=os.pathsep.join([*map(str, places), os.environ["PATH"]]))
    if found is None:
        raise FileNotFoundError(
            f"{name} is not installed; run: apt-get install -y --no-install-recommends "
            "postgresql redis-server chromium git"
        )
    return found


def _unprivileged() -> list[str]:
    """Return the user for PostgreSQL, which refuses to run as root."""
    if os.getuid():
        return []
    user = pwd.getpwnam("postgres")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


@dataclass(kw_only=True)
class Server:
    """A process that listens on a free port. Ctrl-C reaches its parent, not the process."""

    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None


@dataclass
class Postgres(Server):
    directory: Path

    @property
    def url(self) -> str:
        return f"postgresql://shop@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        self.directory.mkdir(parents=True)
        if not os.getuid():
            shutil.chown(self.directory, "postgres", "postgres")
        initdb = [program("initdb"), "-D", str(self.directory / "data"), "-U", "shop"]
        options = ["-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"]
        subprocess.run([*_unprivileged(), *initdb, *options], check=True, capture_output=True)

    def start(self) -> None:
        data = self.directory / "data"
        options = [f"-p{self.port}", "-h127.0.0.1", f"-k{self.directory}", "-cmax_connections=200"]
        options += ["-cfsync=off"]  # tests never cut the power
        with (self.directory.parent / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*_unprivileged(), program("postgres"), "-D", str(data), *options],
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        wait_for(self.answers, "PostgreSQL")

    def answers(self) -> bool:
        done = subprocess.run(
            [program("pg_isready"), "-h", "127.0.0.1", "-p", str(self.port)], capture_output=True
        )
        return done.returncode == 0

    def kill(self) -> None:
        """Kill the process as the kernel does when memory runs out. Its children then end."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(TIMEOUT)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run PostgreSQL in a directory that its user can read, unlike the directories of pytest."""
    with tempfile.TemporaryDirectory(prefix="shop-postgres-") as directory:
        Path(directory).chmod(0o755)
        server = Postgres(Path(directory) / "postgres")
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()


@dataclass
class Redis(Server):
    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1"]
        self.process = subprocess.Popen(
            [*command, "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(self.answers, "Redis")

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def redis() -> Iterator[Redis]:
    server = Redis()
    server.start()
    try:
        yield server
    finally:
        server.stop()


@dataclass
class Shop(Server):
    """``python -m app`` of ``release`` on a free port."""

    directory: Path
    environment: Mapping[str, str]
    release: Path = ROOT
    address: str = "127.0.0.1"

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}"

    @property
    def log(self) -> Path:
        return self.directory / f"shop-{self.port}.log"

    def start(self, wait: str = "/status") -> None:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        own = {
            "SHOP_PORT": str(self.port),
            "SHOP_STATE_DIRECTORY": str(self.directory / f"state-{self.port}"),
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app"],
                cwd=self.release,
                env={**inherited, **own, **self.environment},
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        wait_for(lambda: self.answers(wait), "the shop")

    def answers(self, path: str = "/status") -> bool:
        if self.process and self.process.poll() is not None:
            raise RuntimeError(f"the shop left: {self.log.read_text(encoding='utf-8')}")
        try:
            with urllib.request.urlopen(self.url + path, timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def stop(self) -> int:
        if not self.process:
            return 0
        self.process.terminate()
        return self.process.wait(TIMEOUT)


@contextmanager
def shop(directory: Path, wait: str = "/status", **environment: str) -> Iterator[Shop]:
    server = Shop(directory, environment)
    server.start(wait)
    try:
        yield server
    finally:
        server.stop()
