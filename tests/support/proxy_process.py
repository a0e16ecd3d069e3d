"""A real HAProxy with the role's configuration, real servers behind it, and load."""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from shop_traffic import boot, config
from shop_traffic.commands import Traffic
from shop_traffic.memory import Memory
from shop_traffic.runtime import Runtime

from tests.support.ansible_templates import group_settings, render
from tests.support.paths import ROOT
from tests.support.ports import free_port, listens
from tests.support.proxy_world import FakeTimer
from tests.support.waiting import wait_for

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextmanager
def process(*command: str, log: Any = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command. Its stderr goes to the log, or to the test's output.

    Ctrl-C reaches only its parent, which then stops it properly.
    """
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True
    ) as child:
        try:
            yield child
        finally:
            child.kill()


@dataclass
class Proxy:
    directory: Path
    port: int
    exporter: int
    servers: list[dict[str, Any]]
    traffic: Traffic
    stack: ExitStack
    shops: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    haproxy: subprocess.Popen[bytes] | None = None
    log: Any = None

    def start_shop(self, name: str) -> None:
        (server,) = [server for server in self.servers if server["name"] == name]
        command = [sys.executable, "-m", "tests.support.proxy_shop", name, str(server["port"])]
        self.shops[name] = self.stack.enter_context(process(*command))

    def start(self) -> None:
        """Start HAProxy like its unit: prepare, run, restore."""
        boot.prepare(self.traffic)
        configuration = str(self.directory / "haproxy.cfg")
        check = ["haproxy", "-c", "-q", "-f", configuration]
        subprocess.run(check, check=True, stderr=subprocess.PIPE, text=True)
        command = ("haproxy", "-W", "-f", configuration)
        self.haproxy = self.stack.enter_context(process(*command, log=self.log))
        boot.restore(self.traffic)

    def reload(self) -> None:
        """Reload HAProxy like its unit: save, signal, restore."""
        assert self.haproxy
        boot.save(self.traffic)
        self.haproxy.send_signal(signal.SIGUSR2)
        boot.restore(self.traffic)

    def stop(self) -> None:
        assert self.haproxy
        self.haproxy.send_signal(signal.SIGTERM)
        self.haproxy.wait()

    def wait_until_up(self, *names: str) -> None:
        def up() -> bool:
            servers = self.traffic.runtime.read()
            return all(servers[name].up for name in names)

        wait_for(up, f"{', '.join(names)} up", 10)

    def wait_until_down(self, name: str) -> None:
        wait_for(lambda: not self.traffic.runtime.read()[name].up, f"{name} down", 10)


@contextmanager
def running_proxy(directory: Path, per_colour: int = 2, **settings: Any) -> Iterator[Proxy]:
    """Run a proxy with the shop's settings, some of them replaced by ``settings``."""
    with ExitStack() as stack:
        proxy = made(directory, per_colour, stack, **settings)
        for server in proxy.servers:
            proxy.start_shop(server["name"])
        for server in proxy.servers:  # HAProxy assumes that a server is up until a check fails
            wait_for(partial(listens, server["port"]), f"{server['name']} listens")
        proxy.start()
        proxy.wait_until_up(*(server["name"] for server in proxy.servers))
        yield proxy


#: The shop's settings that a test on this machine can use.
SHOP_SETTINGS = ("timeouts", "retries", "sticky", "clients", "routes")


def shop_settings(operators: str = "127.0.0.0/8") -> dict[str, Any]:
    """Return the inventory's settings of the shop's proxy, with this machine as load generator."""
    names = [f"proxy_{name}" for name in SHOP_SETTINGS]
    network = {"network_cidr": "127.0.0.1/32", "network_admin_cidrs": [], "trusted_proxies": []}
    return group_settings("proxy", names, shop_operators=[operators], **network)


def made(directory: Path, per_colour: int, stack: ExitStack, **settings: Any) -> Proxy:
    servers = [
        {"name": f"{c}-{n}", "colour": c, "address": "127.0.0.1", "port": free_port()}
        for c in ("blue", "green")
        for n in range(1, per_colour + 1)
    ]
    return configured(directory, servers, free_port(), stack, **{**shop_settings(), **settings})


def configured(
    directory: Path, servers: list[dict[str, Any]], port: int, stack: ExitStack, **settings: Any
) -> Proxy:
    """Write the role's configuration of a proxy for these servers."""
    # Copied as to a host: HAProxy cannot load a script from a checkout whose path has a space.
    variables: dict[str, Any] = {
        **settings,
        "proxy_servers": servers,
        "proxy_port": port,
        "__proxy_socket": str(directory / "admin.sock"),
        "__proxy_server_state": str(directory / "server-state"),
        "__proxy_memory": str(directory),
        "__proxy_drill": str(shutil.copy(ROOT / "roles/proxy/files/drill.lua", directory)),
        "__proxy_times": str(shutil.copy(ROOT / "roles/proxy/files/times.lua", directory)),
    }
    exporter = free_port()
    text = render("proxy", "haproxy.cfg.j2", **variables).replace(":8404", f":{exporter}")
    # without root: no change of user, no chroot
    text = re.sub(r"^  (chroot|user|group) .*\n", "", text, flags=re.MULTILINE)
    (directory / "haproxy.cfg").write_text(text)
    (directory / "traffic.json").write_text(render("proxy", "shop-traffic.json.j2", **variables))
    known = config.load(directory / "traffic.json")
    memory = Memory(directory)
    memory.live = "blue"
    traffic = Traffic(known, Runtime(known.socket, known.backend), memory, FakeTimer())
    return Proxy(directory, port, exporter, servers, traffic, stack)


@dataclass
class Outcome:
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def wait_for_answers(self, more: int) -> None:
        """Wait for this many more responses."""
        enough = self._answered() + more
        wait_for(lambda: self._answered() >= enough, f"{more} more answers")

    def _answered(self) -> int:
        return sum(list(self.answers.values()))  # a copy, because another thread counts


class Load(threading.Thread):
    """Shoppers on kept-alive connections; 30 % of requests change something, with a key."""

    def __init__(self, port: int, rate: float, connections: int = 16) -> None:
        super().__init__()
        self.port, self.rate, self.connections = port, rate, connections
        self.outcome = Outcome()
        self.stopping = threading.Event()

    def run(self) -> None:
        asyncio.run(self.all())

    async def all(self) -> None:
        await asyncio.gather(*(self.shopper(number) for number in range(self.connections)))

    async def shopper(self, number: int) -> None:
        rng = random.Random(number)  # noqa: S311 - not for secrets
        streams = None
        count = 0
        while not self.stopping.is_set():
            count += 1
            await asyncio.sleep(self.connections / self.rate * rng.uniform(0.5, 1.5))
            began = time.monotonic()
            try:
                streams = streams or await asyncio.open_connection("127.0.0.1", self.port)
                status, colour, last = await asyncio.wait_for(
                    exchange(streams, f"{number}-{count // 4}", change=rng.random() < 0.3), 10
                )
                if last:  # a reload closes kept-alive connections like this
                    await closed(streams)
                    streams = None
                self.outcome.answers[colour] += 1
                if status != "200":
                    self.outcome.failures.append(f"{status} from {colour or 'HAProxy'}")
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                self.outcome.failures.append(repr(error))
                if streams:
                    await closed(streams)
                streams = None
            self.outcome.slowest = max(self.outcome.slowest, time.monotonic() - began)
        if streams:
            await closed(streams)


async def closed(streams: Streams) -> None:
    streams[1].close()
    with suppress(OSError):
        await streams[1].wait_closed()


async def exchange(streams: Streams, user: str, *, change: bool) -> tuple[str, str, bool]:
    """Return status, colour and whether the connection closes."""
    reader, writer = streams
    key = f"Idempotency-Key: {os.urandom(8).hex()}\r\n" if change else ""
    method = "POST" if change else "GET"
    writer.write(f"{method} /cart HTTP/1.1\r\nHost: shop\r\nX-User: {user}\r\n{key}\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
    await reader.readexactly(int(headers["content-length"]))
    last = headers.get("connection", "").lower() == "close"
    return head.split()[1], headers.get("x-colour", ""), last


@contextmanager
def load(port: int, rate: float = 150) -> Iterator[Outcome]:
    thread = Load(port, rate)
    thread.start()
    try:
        yield thread.outcome
    finally:
        thread.stopping.set()
        thread.join()
