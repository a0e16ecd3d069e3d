"""The shop's port for health checks answers while its serving threads are occupied."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.support.app_servers import Shop, shop
from tests.support.paths import ROOT
from tests.support.ports import free_port
from tests.support.waiting import wait_for

#: The proxy's timeout of a health check.
PATIENCE = 0.4


@pytest.fixture(scope="module")
def checks() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, checks: int) -> Iterator[Shop]:
    with shop(tmp_path_factory.mktemp("shop"), SHOP_HEALTH_PORT=str(checks)) as running:
        yield running


def ask(port: int, path: str, seconds: float = 10) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=seconds) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_checks_are_answered_while_every_thread_waits_for_a_body(server: Shop, checks: int) -> None:
    stalled = b"POST /cart HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n" + b"x" * 17_000
    with ExitStack() as stack:
        for _ in range(40):
            connection = socket.create_connection(("127.0.0.1", server.port), 5)
            stack.enter_context(closing(connection)).sendall(stalled)
        wait_for(lambda: not answers(server.port), "every thread is occupied")
        assert [answers(checks) for _ in range(20)] == [True] * 20


def answers(port: int) -> bool:
    try:
        return ask(port, "/ready", PATIENCE)[0] == 200
    except (OSError, urllib.error.URLError):
        return False


def test_the_port_has_the_health_routes_and_no_other(server: Shop, checks: int) -> None:
    for path in ("/ready", "/status"):
        ours, theirs = (json.loads(ask(port, path)[1]) for port in (checks, server.port))
        assert {**ours, "since": 0} == {**theirs, "since": 0}
    assert ask(checks, "/live") == (200, b"alive\n")
    assert ask(checks, "/carts")[0] == 404


def test_a_stopped_worker_does_not_answer_checks(server: Shop, checks: int) -> None:
    assert server.process
    pid = server.process.pid
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    assert children
    try:
        for child in children:
            os.kill(child, signal.SIGSTOP)
        assert not answers(checks)
    finally:
        for child in children:
            os.kill(child, signal.SIGCONT)


@pytest.mark.usefixtures("server")
def test_a_taken_port_is_refused_with_a_sentence(checks: int, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app"],
        cwd=ROOT,
        env={
            "SHOP_PORT": str(free_port()),
            "SHOP_HEALTH_PORT": str(checks),
            "SHOP_STATE_DIRECTORY": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"SHOP_HEALTH_PORT are 127.0.0.1:{checks}, which is not available" in done.stderr
