"""Start a server process, use it with boto3, stop it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from tests.support.paths import ROOT

REGION = "eu-central-1"
SHOP = "Shop"
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


def query(id_: str, stat: str, name: str, period: int = 10) -> dict[str, Any]:
    metric = {"Namespace": SHOP, "MetricName": name}
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def publish(cloudwatch: Any, name: str, *data: dict[str, Any]) -> None:
    named = [{"MetricName": name, "StorageResolution": 1, **datum} for datum in data]
    cloudwatch.put_metric_data(Namespace=SHOP, MetricData=named)
