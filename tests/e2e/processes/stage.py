"""All processes of the demonstration, started in order and stopped in reverse."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from tests.e2e.processes import store
from tests.e2e.processes.account import CONTROLLER, provision
from tests.e2e.processes.deploy import PLACE
from tests.e2e.processes.ending import MARK, guarded
from tests.e2e.processes.shops import Shops
from tests.support.ansible_templates import evaluate, render
from tests.support.app_servers import Shop
from tests.support.inventory import Inventory
from tests.support.paths import ROOT
from tests.support.ports import free_port
from tests.support.proxy_process import SHOP_SETTINGS, Proxy, configured
from tests.support.waiting import wait_for

NAME = "processes"
RUN = ROOT / ".run" / NAME
SOURCE = ROOT / "inventory" / NAME
#: The path of a UNIX socket must be short.
LONGEST = 60
SYSTEM = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Directories that the PATH of an ordinary user may lack."""
PATIENCE = 120.0
HAPROXY = "HAProxy is not installed. Type, as root: apt-get install haproxy. Then: make demo"


class MissingError(Exception):
    """The demonstration cannot run. The message says what to type."""


@dataclass(frozen=True)
class Ports:
    """The same port at the address of each host."""

    shop: int
    health: int
    proxy: int


@dataclass
class Stage:
    """The running processes. The demonstration uses only these names."""

    directory: Path
    stack: ExitStack
    environment: str = NAME
    locust: str = ""
    users: int = 100

    def start(self) -> tuple[str, ...]:
        """Start everything except the shops and the load. Return a description of it."""
        endpoint = self._start_cloud()
        inventory = Inventory([SOURCE / "hosts.yml"], sys.executable)
        os.environ |= inventory.value(CONTROLLER, "aws_environment")
        provision(inventory, lambda service: boto3.client(service, endpoint_url=endpoint))
        self.inventory = Inventory([SOURCE], sys.executable)
        self.kept = store.start(self.directory, self.stack)
        ports = Ports(free_port(), free_port(), free_port())
        self._watch_shops(ports)
        self._start_proxy(ports)
        self._write_policy()
        return self.kept.missing

    def _start_cloud(self) -> str:
        """Start the AWS emulator; all programs find its port in their environment."""
        state = self.directory / "aws"
        state.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.canary_cloud", str(state), "follow"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log_file("aws"),
            start_new_session=True,
        )
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        assert process.stdout is not None
        os.environ["LOCAL_CLOUD_PORT"] = str(json.loads(process.stdout.readline())["port"])
        return f"http://127.0.0.1:{os.environ['LOCAL_CLOUD_PORT']}"

    def _watch_shops(self, ports: Ports) -> None:
        colours: dict[str, list[Shop]] = {"blue": [], "green": []}
        self.shops = self.inventory.hosts("app")
        for host in self.shops:
            shop = self._shop(host, ports)
            colours[shop.environment["SHOP_COLOUR"]].append(shop)
        shops = Shops(self.directory, colours)
        shops.start()
        self.stack.callback(shops.stop)
        os.environ[PLACE] = str(self.directory)

    def _shop(self, host: str, ports: Ports) -> Shop:
        value = self.inventory.values(host)
        named = ("environment", "colour", "instance", "metrics_period", "allow_faults")
        settings = {f"app_{name}": value(f"app_{name}") for name in named}
        settings |= {"app_database_url": self.kept.database, "app_redis_url": self.kept.cache}
        settings |= {"__app_port": ports.shop, "__app_health_port": ports.health}
        environment = {**evaluate("app", "__app_own", **settings), **value("app_variables")}
        environment |= {"SHOP_HOST": value("ansible_host"), MARK: os.environ[MARK]}
        directory = RUN / "shops" / host
        directory.mkdir(parents=True)
        words = {name: str(each) for name, each in environment.items()}
        return Shop(directory, words, port=ports.shop, address=value("ansible_host"))

    def _start_proxy(self, ports: Ports) -> None:
        """Start HAProxy, which is up before its servers, and ``shop-traffic`` in place of SSH."""
        (host,) = self.inventory.hosts("proxy")
        value = self.inventory.values(host)
        servers = [{**each, "port": ports.shop} for each in value("proxy_servers")]
        names = [f"proxy_{name}" for name in SHOP_SETTINGS]
        settings = {name: value(name) for name in [*names, "proxy_exporter_address"]}
        settings["proxy_check"] = {**value("proxy_check"), "port": ports.health}
        place = self.directory / "proxy"
        place.mkdir()
        proxy: Proxy = configured(place, servers, ports.proxy, self.stack, **settings)
        self.url = f"http://{value('ansible_host')}:{ports.proxy}"
        os.environ["SHOP_LISTEN"] = self.url.removeprefix("http://")
        proxy.log = log_file("haproxy")
        proxy.start()
        os.environ["CANARY_TEST_PROXY"] = str(place / "traffic.json")
        program = self.directory / "bin" / "ssh"
        program.parent.mkdir()
        script = ROOT / "tests/support/canary_ssh.py"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
        program.chmod(0o755)
        os.environ["PATH"] = f"{program.parent}:{os.environ['PATH']}"

    def _write_policy(self) -> None:
        value = self.inventory.values(CONTROLLER)
        names = ("analyzer_policy", "analyzer_metrics", "analyzer_tuning")
        text = render("analyzer", "canary.yml.j2", **{name: value(name) for name in names})
        (RUN / "canary.yml").write_text(text, encoding="utf-8")

    def lines(self) -> tuple[str, ...]:
        """Return where the processes listen."""
        words = ", ".join(self.kept.words)
        shops = ", ".join(f"{host.removeprefix(NAME + '-app-')}" for host in self.shops)
        return (
            f"AWS:     {os.environ['AWS_ENDPOINT_URL']} (the emulator of the local cloud)",
            f"HAProxy: {self.url}",
            f"Shops:   {shops}, with {words}",
        )

    def start_load(self) -> None:
        """Start Locust with the shoppers of the role ``loadgen``."""
        host = self.inventory.value(self.inventory.hosts("monitor")[0], "ansible_host")
        port = free_port()
        self.locust = f"http://{host}:{port}"
        words = ["--web-host", host, "--web-port", str(port), "--host", self.url, "--autostart"]
        words += ["--users", str(self.users), "--spawn-rate", str(self.users)]
        file = ROOT / "roles/loadgen/files/locustfile.py"
        process = subprocess.Popen(
            [sys.executable, "-m", "locust", "--locustfile", str(file), *words],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=log_file("locust"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.stack.callback(process.wait)
        self.stack.callback(process.terminate)
        wait_for(lambda: responds(process, self.locust), "Locust responds", PATIENCE)


def responds(process: subprocess.Popen[bytes], url: str) -> bool:
    """Return whether a page responds; raise if its process has ended."""
    if process.poll() is not None:
        raise RuntimeError(f"a server ended with status {process.returncode}")
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):  # noqa: S310
        return True
    return False


def log_file(name: str) -> Any:
    return (RUN / f"{name}.log").open("wb")


@contextmanager
def stage() -> Iterator[Stage]:
    """Yield the stage. At the end, no process is left, and the reports stay."""
    os.environ["PATH"] = os.pathsep.join(
        [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath), *SYSTEM]
    )
    if shutil.which("haproxy") is None:
        raise MissingError(HAPROXY)
    RUN.mkdir(parents=True, exist_ok=True)
    with (RUN / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise MissingError("Another demonstration runs in this checkout.") from None
        directory = Path(tempfile.mkdtemp(prefix="cart-canary-", dir=_short()))
        directory.chmod(0o711)  # PostgreSQL runs as another user if this one is root
        with guarded(directory), ExitStack() as stack:
            _private(directory)
            shutil.rmtree(RUN / "shops", ignore_errors=True)
            yield Stage(directory, stack)


def _short() -> str | None:
    return None if len(tempfile.gettempdir()) < LONGEST else "/tmp"  # noqa: S108 - mkdtemp


def _private(directory: Path) -> None:
    """Keep settings of the user's account away, and write nothing to the home directory."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "SHOP_", "LOCUST_"))]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["XDG_CACHE_HOME"] = str(directory / "cache")
    with contextlib.suppress(KeyError):
        del os.environ["CART_CANARY_RUN"]
