"""Start a server process, speak to it with boto3, stop it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from tests.support.paths import ROOT

REGION = "eu-central-1"
KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}


@contextmanager
def process(state: Path, *options: str) -> Iterator[tuple[str, int]]:
    """Run a server; yield its address and process id."""
    command = [sys.executable, "-m", "tests.support.cloudwatch_server", str(state), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip(), server.pid
        finally:
            server.terminate()
            assert server.wait(timeout=30) == 0


@contextmanager
def running(state: Path, *options: str) -> Iterator[str]:
    """Run a server; yield its address."""
    with process(state, *options) as (address, _):
        yield address


def client(address: str, service: str = "cloudwatch") -> Any:
    return boto3.client(service, endpoint_url=address, region_name=REGION, **KEYS)


def eventually(ask: Callable[[], Any], seconds: float = 10) -> Any:
    """Return the first answer that is true; ask for so long."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not so after {seconds} seconds"
        time.sleep(0.1)
    return answer
