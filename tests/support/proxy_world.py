"""A fake HAProxy on a real socket, a fake timer, and a proxy made of both."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shop_traffic import ring
from shop_traffic.commands import Traffic
from shop_traffic.config import Config, Server
from shop_traffic.memory import Memory
from shop_traffic.runtime import FALLBACK, Runtime

COLUMNS = (
    "pxname,svname,scur,econ,eresp,wretr,wredis,status,uweight,chkfail,"
    "hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,dresp"
)
SERVERS = tuple(
    Server(f"{colour}-{number}", colour, 100 * place + number, f"10.0.{place}.{number}", 8080)
    for place, colour in ((1, "blue"), (2, "green"))
    for number in (1, 2)
)
ALL_BLUE = {"blue-1": 256, "blue-2": 256, "green-1": 0, "green-2": 0}
ALL_GREEN = {"blue-1": 0, "blue-2": 0, "green-1": 256, "green-2": 256}
BLUE, GREEN = ("blue-1", "blue-2"), ("green-1", "green-2")


@dataclass
class FakeServer:
    weight: int = 0
    state: str = "ready"
    healthy: bool = True
    sessions: int = 0
    answered: int = 0
    errors: int = 0
    denied: int = 0

    @property
    def status(self) -> str:
        if self.state != "ready":
            return {"maint": "MAINT", "drain": "DRAIN"}[self.state]
        return "UP" if self.healthy else "DOWN 1/2"


@dataclass
class FakeHaproxy:
    """Implements the commands that the code sends, and rejects others like HAProxy."""

    servers: dict[str, FakeServer]
    lines: list[str] = field(default_factory=list)
    pid: int = 1
    deaf_to: str = ""
    variables: dict[str, str] = field(default_factory=dict)

    def answer(self, line: str) -> str:
        self.lines.append(line)
        commands = [command.strip() for command in line.split(";")]
        if any(command.startswith("set var") for command in commands):
            if commands[0] != "experimental-mode on":
                return "This command is restricted to experimental mode only.\n"
            commands.pop(0)
        return "".join(self.one(command) + "\n" for command in commands)

    def one(self, command: str) -> str:
        words = command.split()
        if words[:2] == ["show", "info"]:
            return f"Name: HAProxy\nPid: {self.pid}\nStart_time_sec: 1795233412\n"
        if words == ["show", "times"]:
            timed = {n: s.answered - s.denied for n, s in self.servers.items()}
            return "".join(f"{n} {count} {25_000 * count}\n" for n, count in timed.items())
        if words[:2] == ["show", "stat"]:
            return f"# {COLUMNS}\n" + "".join(self.row(name) + "\n" for name in self.servers)
        if words[:3] == ["show", "servers", "state"]:
            return "1\n# be_id be_name srv_id\n"
        if words[1] == "var":
            return self.variable(*words)
        return self.change(words[2].partition("/")[2], *words[3:])

    def variable(self, what: str, _var: str, name: str, value: str = "") -> str:
        if what == "set":
            if name != self.deaf_to:
                self.variables[name] = value.partition("(")[2].removesuffix(")")
            return ""
        if name not in self.variables:
            return "Variable not found.\n"
        return f"{name}: type=any value=<{self.variables[name]}>\n"

    def change(self, name: str, what: str, value: str) -> str:
        if name not in self.servers:
            return "No such server.\n"
        if what == "state":
            self.servers[name].state = value
        elif not 0 <= int(value) <= 256:
            return "Absolute weight can only be between 0 and 256 inclusive.\n"
        elif name != self.deaf_to:
            self.servers[name].weight = int(value)
        return ""

    def row(self, name: str) -> str:
        server = self.servers[name]
        good = server.answered - server.errors
        return (
            f"shop,{name},{server.sessions},0,0,0,0,{server.status},{server.weight},0,"
            f"0,{good},0,0,{server.errors},0,{server.denied}"
        )

    def weights(self) -> dict[str, int]:
        return {n: s.weight for n, s in self.servers.items() if not n.endswith(FALLBACK)}

    def standing_in(self) -> set[str]:
        """Return the servers that would serve if all others were down."""
        return {
            name.removesuffix(FALLBACK)
            for name, server in self.servers.items()
            if name.endswith(FALLBACK) and server.state == "ready"
        }


@contextmanager
def listening(haproxy: FakeHaproxy, path: Path) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            while True:
                connection, _ = listener.accept()
                with connection, connection.makefile() as lines:
                    line = lines.readline()
                    if not line:
                        return
                    connection.sendall(haproxy.answer(line.strip()).encode())

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            with socket.socket(socket.AF_UNIX) as farewell:
                farewell.connect(str(path))
            thread.join()


@dataclass
class FakeTimer:
    armed: dict[str, float] = field(default_factory=dict)
    count: int = 0

    def arm(self, seconds: float) -> str:
        self.count += 1
        name = f"lease-{self.count}"
        self.armed[name] = seconds
        return name

    def disarm(self, name: str) -> None:
        del self.armed[name]


@dataclass
class World:
    haproxy: FakeHaproxy
    timer: FakeTimer
    traffic: Traffic

    @property
    def memory(self) -> Memory:
        return self.traffic.memory


@contextmanager
def proxy(directory: Path, live: str = "blue") -> Iterator[World]:
    """Yield a proxy with two healthy servers per colour; ``live`` has all traffic."""
    names = [server.name for server in SERVERS]
    haproxy = FakeHaproxy({n: FakeServer() for n in (*names, *(n + FALLBACK for n in names))})
    for server in SERVERS:
        haproxy.servers[server.name].weight = 256 if server.colour == live else 0
        haproxy.servers[server.name + FALLBACK].state = "maint"
    config = Config("shop", directory / "s", directory / "server-state", directory, SERVERS)
    memory = Memory(directory)
    memory.live = live
    timer = FakeTimer()
    with listening(haproxy, config.socket):
        yield World(haproxy, timer, Traffic(config, Runtime(config.socket, "shop"), memory, timer))


def shares(weights: dict[str, int]) -> dict[str, float]:
    return ring.shares(ring.points(SERVERS), weights)
