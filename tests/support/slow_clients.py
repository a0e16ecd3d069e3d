"""Clients that occupy a server on purpose, and the service that other customers get meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import statistics
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PAUSE = 0.5
PATIENCE = 10.0
ETHERNET = 1_400
"""Bytes of a TCP segment as on Ethernet. With loopback's 65,483, a buffer would hold megabytes."""
PAGES = 20
"""Number of pages, more than all buffers on the way hold."""


@dataclass(frozen=True)
class Target:
    """The target of requests. ``source`` gives each client its own address, if possible."""

    host: str
    port: int
    source: Callable[[int], str | None] = lambda _: None

    async def opened(self, number: int, buffer: int | None = None) -> Streams:
        connection = socket.socket()
        try:
            connection.setblocking(False)  # noqa: FBT003 - its only parameter
            if buffer:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, ETHERNET)
            if source := self.source(number):
                connection.bind((source, 0))
            loop = asyncio.get_running_loop()
            await asyncio.wait_for(loop.sock_connect(connection, (self.host, self.port)), PATIENCE)
            return await asyncio.open_connection(sock=connection, limit=buffer or 65_536)
        except BaseException:
            connection.close()
            raise


# ---- attacks: each is one connection, until the server closes it


async def sends_slowly(target: Target, number: int) -> None:
    """Send a part of a body, then single bytes with pauses. Any size is allowed."""
    size, sent = [(60_000, 17_000), (100, 1), (65_536, 65_000), (5_000_000, 40_000)][number % 4]
    reader, writer = await target.opened(number)
    with closing(writer):
        length = f"Content-Length: {size}" if number % 3 else "Transfer-Encoding: chunked"
        start = "" if number % 3 else f"{size:x}\r\n"
        head = f"POST /cart HTTP/1.1\r\nHost: shop\r\n{length}\r\n\r\n{start}"
        writer.write(head.encode() + b"x" * sent)
        while not await ended(reader):
            writer.write(b"x")


async def reads_slowly(target: Target, number: int) -> None:
    """Request page after page, and read single bytes with pauses.

    The page costs the shop almost nothing, so the slow reading is the only attack.
    """
    reader, writer = await target.opened(number, buffer=4096)
    with closing(writer):
        writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: shop\r\n\r\n" * PAGES)
        while await reader.read(1):
            await asyncio.sleep(PAUSE)


async def says_nothing(target: Target, number: int) -> None:
    reader, writer = await target.opened(number)
    with closing(writer):
        while not await ended(reader):
            pass


async def ended(reader: asyncio.StreamReader) -> bool:
    """Wait briefly, and return whether the server answered or closed the connection."""
    try:
        await asyncio.wait_for(reader.read(1000), PAUSE)
    except TimeoutError:
        return False
    return True


@contextlib.contextmanager
def closing(writer: asyncio.StreamWriter) -> Iterator[None]:
    try:
        yield
    finally:
        writer.transport.abort()


RAMP = 3.0
"""Seconds until all clients have started."""
Attack = Callable[[Target, int], Awaitable[None]]


@contextmanager
def attacked(target: Target, attack: Attack, clients: int) -> Iterator[None]:
    """Keep this many clients attacking. A client that is disconnected reconnects at once."""

    async def client(number: int) -> None:
        await asyncio.sleep(RAMP * number / clients)
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                await attack(target, number)
            await asyncio.sleep(0.1)

    with running(lambda: [client(number) for number in range(clients)]):
        yield


@contextmanager
def running(made: Callable[[], list[Awaitable[None]]]) -> Iterator[None]:
    """Run tasks in a thread of their own, and cancel them at the end."""
    stop = threading.Event()

    async def run() -> None:
        tasks = [asyncio.ensure_future(one) for one in made()]
        while not stop.is_set():
            await asyncio.sleep(0.05)
        going = set(tasks)
        while going:  # in Python 3.11, wait_for may lose a cancellation
            for task in going:
                task.cancel()
            _, going = await asyncio.wait(going, timeout=1)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


# ---- other customers


@dataclass
class Customers:
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def p99(self) -> float:
        return sorted(self.seconds)[int(0.99 * len(self.seconds))]


BODY = json.dumps({"items": [{"description": "Lamp", "qty": 1, "unitPrice": "19.99"}]}).encode()
REQUESTS = (
    b"GET /products HTTP/1.1\r\nHost: shop\r\n\r\n",
    b"POST /cart HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY),
)


def served(target: Target, seconds: float, rate: float = 60, connections: int = 12) -> Customers:
    """Send requests at a fixed rate for some seconds; return how they were served."""
    found = Customers()

    async def customer(number: int) -> None:
        requests = itertools.cycle(REQUESTS)
        until = time.monotonic() + seconds
        await asyncio.sleep(number / rate)
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                await asyncio.wait_for(once(next(requests), number), PATIENCE)
            except (OSError, TimeoutError, EOFError, ValueError) as error:
                found.failures.append(repr(error))
            found.seconds.append(time.monotonic() - began)
            await asyncio.sleep(max(0.0, began + connections / rate - time.monotonic()))

    async def once(request: bytes, number: int) -> None:
        reader, writer = await target.opened(1_000 + number)
        with closing(writer):
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = head.partition("content-length: ")[2].split()[0]
            await reader.readexactly(int(length))
            if " 200 " not in head.splitlines()[0]:
                raise ValueError(head.splitlines()[0])

    async def every() -> None:
        await asyncio.gather(*(customer(number) for number in range(connections)))

    asyncio.run(every())
    return found


CLIENTS = 200
WINDOW = 2.0
ROUNDS, QUIET, ATTACKED = 2, 2, 5
"""Number of rounds, and of windows in each phase."""
LONGER, NOISE = 2.0, 0.05
"""Limits for the slowest requests under attack: as a multiple, and in additional seconds."""


def windows(target: Target, number: int) -> list[Customers]:
    return [served(target, WINDOW) for _ in range(number)]


def measured(target: Target, attack: Attack) -> tuple[list[Customers], list[Customers]]:
    """Return how customers are served without and with the attack.

    Both phases alternate, so other load on this machine affects both in the same way.
    """
    quiet, during = windows(target, QUIET), []
    for _ in range(ROUNDS):
        with attacked(target, attack, CLIENTS):
            served(target, RAMP)
            during += windows(target, ATTACKED)
        quiet += windows(target, QUIET)
    return quiet, during


def typical_p99(found: list[Customers]) -> float:
    """Return the median of the windows' p99, so that one disturbed window does not count."""
    return statistics.median(each.p99 for each in found)


def require_unnoticed(target: Target, attack: Attack) -> None:
    """Attack the target, and require that other customers are served as well as before."""
    quiet, during = measured(target, attack)
    usual, slow = typical_p99(quiet), typical_p99(during)
    requests = sum(len(each.seconds) for each in during)
    failures = [failure for each in during for failure in each.failures]
    told = f"{requests} requests, p99 {slow:.3f} s against {usual:.3f} s"
    assert [each.failures for each in quiet if each.failures] == []
    assert len(failures) <= 0.001 * requests, (told, failures[:5])
    assert slow <= LONGER * usual + NOISE, told
