"""An environment without hosts: AWS of the local cloud, a real HAProxy, two small servers.

It publishes the metrics of the instances at the real split of the proxy. A test sets the behaviour
of the candidate: ``Behaviour(latency=1.5)`` is 50 % slower.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self

import boto3
import yaml

from tests.support.canary_account import DASHBOARD, REGION, policy, provision
from tests.support.canary_load import Backend, Behaviour, Publisher, Quiet, send_requests
from tests.support.paths import ROOT
from tests.support.proxy_process import made
from tests.support.waiting import wait_for

KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}


@dataclass
class World:
    """The world of ``canary run``; a context manager."""

    directory: Path
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def behaviour(self) -> Behaviour:
        return self.publisher.behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        self.publisher.behaviour = behaviour

    # ---- for tests ------------------------------------------------------------------------

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION, **KEYS)

    def canary(self, *words: str) -> subprocess.Popen[str]:
        """Start a command in the repository, as a user does."""
        process = subprocess.Popen(
            [sys.executable, "-m", "canary", *words],
            cwd=self.repository,
            env=self.environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._end_with(process)  # if a test fails early, leave no open pipe and no process
        return process

    def environment(self) -> dict[str, str]:
        """Return the environment variables of a user's shell."""
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
            "PATH": f"{self.directory / 'bin'}:{os.environ['PATH']}",
            "CANARY_TEST_PROXY": str(self.directory / "traffic.json"),
            "CANARY_ENV": "test",
            "XDG_CACHE_HOME": str(self.directory / "cache"),
        }

    def run(self, *words: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        process = self.canary(*words)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(
                f"canary {words} took more than {timeout} s:\n{out}\n{err}"
            ) from None
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def status(self) -> dict[str, Any]:
        done = self.run("status", "--json")
        found: dict[str, Any] = json.loads(done.stdout or "{}")
        assert found, done.stderr
        return found

    def marks(self) -> list[str]:
        """Return the labels of the vertical annotations of the release dashboard."""
        answer = self.client("cloudwatch").get_dashboard(DashboardName=DASHBOARD)
        [widget] = json.loads(answer["DashboardBody"])["widgets"]
        return [mark["label"] for mark in widget["properties"]["annotations"]["vertical"]]

    def told_weights(self, colour: str) -> list[tuple[float, float]]:
        """Return the minimum and maximum weight in CloudWatch for each second.

        Two weights may be published within one second, the shortest period of CloudWatch. Their
        average would be a weight that was never set.
        """
        now = datetime.now(UTC)
        answer = self.client("cloudwatch").get_metric_statistics(
            Namespace="Shop",
            MetricName="traffic_weight",
            Dimensions=[
                {"Name": "Environment", "Value": "test"},
                {"Name": "Colour", "Value": colour},
            ],
            StartTime=now - timedelta(minutes=15),
            EndTime=now + timedelta(minutes=1),
            Period=1,
            Statistics=["Minimum", "Maximum"],
        )
        points = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
        return [(float(point["Minimum"]), float(point["Maximum"])) for point in points]

    @property
    def deployed(self) -> Path:
        """The log of the deploy hook: one line for each deployment."""
        return self.directory / "repository" / "deployed.txt"

    def release(self, colour: str) -> str:
        """Return the last release that the deploy hook deployed to a colour."""
        lines = self.deployed.read_text().splitlines() if self.deployed.exists() else []
        found = [line.split()[1] for line in lines if line.split()[:1] == [colour]]
        return found[-1] if found else ""

    def green_weight(self) -> int:
        """Read the weight from HAProxy itself."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.directory / "admin.sock"))
            connection.sendall(b"get weight shop/green-1\n")
            return int(connection.recv(200).split()[0])

    def wait_for_weight(self, canary: subprocess.Popen[str]) -> None:
        """Wait until the candidate has traffic; fail with the output if the canary ends first."""

        def weight() -> int:
            if canary.poll() is not None:
                raise AssertionError("\n".join(canary.communicate()))
            return self.green_weight()

        wait_for(weight, "the candidate carries traffic", 240)

    # ---- setup ----------------------------------------------------------------------------

    def _start(self) -> None:
        self._start_cloud()
        account = provision(self.client)
        self._start_proxy()
        self._write_repository()
        path = self.repository / ".run" / "test" / "canary.yml"
        path.parent.mkdir(parents=True)
        path.write_text(yaml.safe_dump(policy(self.endpoint, account)))
        self.publisher = Publisher(
            self.client("cloudwatch"), account.instances, self.green_weight, Behaviour()
        )
        stop = threading.Event()
        for _ in range(2):
            self._meanwhile(send_requests, self.port, stop)
        self._meanwhile(self.publisher.run, stop)
        self._stack.callback(stop.set)

    def _meanwhile(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        thread.start()
        self._stack.callback(thread.join)

    def _start_cloud(self) -> None:
        state = self.directory / "aws"
        state.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.canary_cloud", str(state)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._end_with(process)
        assert process.stdout is not None
        self.endpoint = f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"

    def _end_with(self, process: subprocess.Popen[Any]) -> None:
        def end() -> None:
            process.kill()
            for pipe in filter(None, (process.stdin, process.stdout, process.stderr)):
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
            process.wait()

        self._stack.callback(end)

    def _start_proxy(self) -> None:
        """Start HAProxy as the role does, and ``shop-traffic`` behind a program named ssh."""
        proxy = made(self.directory, per_colour=1, stack=self._stack)
        for listed in proxy.servers:
            server = Backend(("127.0.0.1", listed["port"]), Quiet)
            server.release = partial(self.release, listed["colour"])
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self._stack.callback(server.server_close)
            self._stack.callback(server.shutdown)
        proxy.start()
        proxy.wait_until_up("blue-1", "green-1")
        self.port, self.traffic = proxy.port, proxy.traffic
        ssh = self.directory / "bin" / "ssh"
        ssh.parent.mkdir()
        ssh.write_text(
            f'#!/bin/sh\nexec {sys.executable} {ROOT}/tests/support/canary_ssh.py "$@"\n'
        )
        ssh.chmod(0o755)

    def _write_repository(self) -> None:
        self.repository = self.directory / "repository"
        app = self.repository / "app"
        app.mkdir(parents=True)
        (app / "__init__.py").write_text('"""A shop."""\n')
        (app / "requirements.txt").write_text("# nothing\n")
        git = ["git", "-C", str(self.repository), "-c", "user.name=t", "-c", "user.email=t@t"]
        for words in (["init", "-q"], ["add", "app"], ["commit", "-qm", "one"], ["tag", "v2"]):
            subprocess.run([*git, *words], check=True)
