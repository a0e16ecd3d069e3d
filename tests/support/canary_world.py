"""A whole environment without hosts: AWS of the local cloud, a real HAProxy, two small servers.

The instances' metrics are published here, at the rate of the proxy's real split, so that a test
says how the candidate behaves: ``Behaviour(latency=1.5)`` is 50 % slower.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import yaml
from botocore.exceptions import BotoCoreError, ClientError

from tests.support.paths import ROOT
from tests.support.tables import make_table

KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
REGION = "eu-central-1"
COLOURS = ("blue", "green")
DASHBOARD = "shop-test-release"
GRAPH = {
    "metrics": [["Shop", "errors", "Environment", "test"]],
    "region": REGION,
    "title": "Errors",
}
HAPROXY = """
global
  stats socket {directory}/admin.sock mode 600 level admin
defaults
  mode http
  timeout connect 250ms
  timeout client 30s
  timeout server 3s
  timeout http-keep-alive 15s
frontend public
  bind 127.0.0.1:{port}
  default_backend shop
backend shop
  balance hash req.hdr(X-User)
  hash-type consistent sdbm avalanche
  option httpchk GET /
  default-server inter 200ms fall 2 rise 1
  server blue-1 127.0.0.1:{blue} id 1 check weight 256
  server green-1 127.0.0.1:{green} id 2 check weight 0
  server blue-1-fallback 127.0.0.1:{blue} id 1001 track blue-1 backup disabled
  server green-1-fallback 127.0.0.1:{green} id 1002 track green-1 backup disabled
"""


@dataclass
class Behaviour:
    """How the candidate differs from the baseline, as factors."""

    latency: float = 1.0
    errors: float = 1.0


class Quiet(http.server.BaseHTTPRequestHandler):
    """Answers 200 and says nothing."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Keep quiet."""


class Backend(http.server.ThreadingHTTPServer):
    """An instance of the shop; health checks hang up without a word, which is no error."""

    daemon_threads = True

    def handle_error(self, *_arguments: object) -> None:
        """Keep quiet."""


@dataclass
class World:
    """Everything around ``canary run``; use as a context."""

    directory: Path
    behaviour: Behaviour = field(default_factory=Behaviour)
    instances: dict[str, str] = field(default_factory=dict)
    publishing: bool = True
    _share: float = 0.0
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> World:
        try:
            self._start_cloud()
            self._provision()
            self._start_proxy()
            self._write_repository()
            self._write_policy()
            for work in (self._load, self._load, self._publish):
                thread = threading.Thread(target=work, daemon=True)
                thread.start()
                self._stack.callback(thread.join)
            self._stack.callback(self._stop.set)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # ---- what tests use -------------------------------------------------------------------

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION, **KEYS)

    def canary(self, *words: str) -> subprocess.Popen[str]:
        """Start a command as a user would, in the repository."""
        bin_directory = self.directory / "bin"
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
            "PATH": f"{bin_directory}:{os.environ['PATH']}",
            "CANARY_TEST_PROXY": str(self.directory / "shop-traffic.json"),
            "CANARY_ENV": "test",
            "XDG_CACHE_HOME": str(self.directory / "cache"),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "canary", *words],
            cwd=self.repository,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._end_with(process)  # a test that fails before it read all leaves neither pipe nor run
        return process

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
        """Return what stands beside the vertical lines of the release dashboard's graph."""
        answer = self.client("cloudwatch").get_dashboard(DashboardName=DASHBOARD)
        [widget] = json.loads(answer["DashboardBody"])["widgets"]
        return [mark["label"] for mark in widget["properties"]["annotations"]["vertical"]]

    def told_weights(self, colour: str) -> list[tuple[float, float]]:
        """Return the least and greatest weight that CloudWatch was told, second by second.

        A weight set and the next one may be told within one second, CloudWatch's shortest period:
        an average of the two would be a weight that nobody told.
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

    def green_weight(self) -> int:
        """Ask HAProxy itself, with nothing of ours between."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.directory / "admin.sock"))
            connection.sendall(b"get weight shop/green-1\n")
            return int(connection.recv(200).split()[0])

    def wait_for_weight(self, canary: subprocess.Popen[str], *, timeout: float = 240.0) -> None:
        """Wait until the candidate carries traffic; a canary that ends first says why."""
        end = time.monotonic() + timeout
        while self.green_weight() == 0:
            if canary.poll() is not None:
                raise AssertionError("\n".join(canary.communicate()))
            assert time.monotonic() < end, "the candidate got no weight"
            time.sleep(0.05)

    # ---- how it is made -------------------------------------------------------------------

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

    def _provision(self) -> None:
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.1.0/24")["Subnet"]["SubnetId"]
        for colour in COLOURS:
            tags = {"role": "app", "colour": colour, "Environment": "test"}
            tags["Name"] = f"test-app-{colour}-1"
            launched = ec2.run_instances(
                ImageId="ami-0123456789ab00000",
                InstanceType="t3.micro",
                MinCount=1,
                MaxCount=1,
                SubnetId=subnet,
                TagSpecifications=[
                    {
                        "ResourceType": "instance",
                        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
                    }
                ],
            )
            self.instances[colour] = launched["Instances"][0]["InstanceId"]
        self.client("ssm").put_parameter(Name="/shop/test/live", Value="blue", Type="String")
        self.client("s3").create_bucket(
            Bucket="releases", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        topic = self.client("sns").create_topic(Name="events")
        self.topic = topic["TopicArn"]
        widget = {"type": "metric", "width": 12, "height": 6, "properties": GRAPH}
        self.client("cloudwatch").put_dashboard(
            DashboardName=DASHBOARD, DashboardBody=json.dumps({"widgets": [widget]})
        )
        make_table(self.client("dynamodb"), "lock", "environment")
        make_table(self.client("dynamodb"), "history", "environment", "canary")

    def _start_proxy(self) -> None:
        servers = {}
        for colour in COLOURS:
            server = Backend(("127.0.0.1", 0), Quiet)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self._stack.callback(server.server_close)
            self._stack.callback(server.shutdown)
            servers[colour] = server.server_address[1]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = self.directory / "haproxy.cfg"
        config.write_text(HAPROXY.format(directory=self.directory, port=self.port, **servers))
        program = shutil.which("haproxy") or "/usr/sbin/haproxy"
        self._end_with(subprocess.Popen([program, "-f", str(config), "-db", "-q"]))
        end = time.monotonic() + 20
        while not (self.directory / "admin.sock").exists():
            assert time.monotonic() < end, "HAProxy did not start"
            time.sleep(0.05)
        memory = self.directory / "memory"
        memory.mkdir()
        (memory / "live").write_text("blue\n")
        listed = [
            {"name": f"{c}-1", "colour": c, "id": n + 1, "address": "127.0.0.1", "port": servers[c]}
            for n, c in enumerate(COLOURS)
        ]
        described = {
            "backend": "shop",
            "socket": str(self.directory / "admin.sock"),
            "server_state": str(self.directory / "server-state"),
            "directory": str(memory),
            "servers": listed,
        }
        (self.directory / "shop-traffic.json").write_text(json.dumps(described))
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

    def _write_policy(self) -> None:
        hook = ["sh", "-c", "echo {colour} {release} {artifact} {sha256} >> deployed.txt"]
        policy = {
            "version": 1,
            "period": 5,
            "warmup": 5,
            "minimum": 50,
            "maximum": 120,
            "steps": [0.2, 0.5],
            "traffic_rule": {"minimum_samples": 50, "split_tolerance": "20 points"},
            "metrics": [
                {"name": "latency", "kind": "latency", "margin": "15%"},
                {"name": "errors", "kind": "count", "negligible": "1%"},
                {"name": "retries", "kind": "count", "source": "proxy.retries", "negligible": "1%"},
            ],
            "environment": {
                "name": "test",
                "region": REGION,
                "endpoint_url": self.endpoint,
                "source": {"kind": "cloudwatch", "namespace": "Shop", "settle": 1},
                "traffic": {"kind": "haproxy", "host": "proxy", "key": "k", "known_hosts": "h"},
                "hooks": {"deploy": {"command": hook, "timeout": 20}},
                "state": {
                    "live_parameter": "/shop/test/live",
                    "lock_table": "lock",
                    "history_table": "history",
                    "bucket": "releases",
                    "topic": self.topic,
                },
                "dashboard": {"name": DASHBOARD, "namespace": "Shop", "metric": "traffic_weight"},
            },
        }
        path = self.repository / ".run" / "test" / "canary.yml"
        path.parent.mkdir(parents=True)
        path.write_text(yaml.safe_dump(policy))

    # ---- what goes on meanwhile -----------------------------------------------------------

    def _load(self) -> None:
        users = np.random.default_rng(20261121)
        while not self._stop.wait(0.02):
            request = urllib.request.Request(
                f"http://127.0.0.1:{self.port}/", headers={"X-User": str(users.integers(10_000))}
            )
            with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=2):  # noqa: S310
                pass

    def _publish(self) -> None:
        """Send every second once it is over; one that could not be sent goes with the next."""
        metrics, noise = self.client("cloudwatch"), np.random.default_rng(20261121)
        second, unsent = int(time.time()), []
        while not self._stop.wait(max(0.0, second + 1 - time.time())):
            if self.publishing:
                unsent += [datum for c in COLOURS for datum in self._data(c, second, noise)]
            second += 1
            if unsent:
                with contextlib.suppress(BotoCoreError, ClientError):
                    metrics.put_metric_data(Namespace="Shop", MetricData=unsent)
                    unsent = []

    def _data(self, colour: str, second: int, noise: np.random.Generator) -> list[dict[str, Any]]:
        with contextlib.suppress(OSError, ValueError, IndexError):
            share = self.green_weight() / 256
            self._share = min(share, 1.0) if share < 1 else 0.5
        mine = self._share if colour == "green" else 1 - self._share
        differs = self.behaviour if colour == "green" else Behaviour()
        requests = int(noise.poisson(200 * mine))
        sample = np.exp(noise.normal(np.log(20 * differs.latency), 0.5, requests))
        values, counts = np.unique(np.round(sample).clip(1, 100), return_counts=True)
        base = {
            "Dimensions": [
                {"Name": "Environment", "Value": "test"},
                {"Name": "Colour", "Value": colour},
                {"Name": "Instance", "Value": self.instances[colour]},
            ],
            "Timestamp": datetime.fromtimestamp(second, UTC),
            "StorageResolution": 1,
        }
        errors = int(noise.binomial(requests, min(1.0, 0.01 * differs.errors)))
        found = [
            {**base, "MetricName": "requests", "Value": requests, "Unit": "Count"},
            {**base, "MetricName": "errors", "Value": errors, "Unit": "Count"},
        ]
        if requests:
            spread = {"Values": values.tolist(), "Counts": counts.astype(float).tolist()}
            found.append({**base, "MetricName": "latency", "Unit": "Milliseconds", **spread})
        return found
