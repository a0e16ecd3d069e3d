"""Requests at random moments, independent of responses, to every instance of a service.

    python -m tests.bench.suggest.load PLAN.json

The plan names the end of the load, and for each instance its port, its requests per second, and the
amplitude of a five-minute swing of that rate.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import random
import sys
import time
from pathlib import Path
from typing import Any

CONNECTIONS, TIMEOUT, SWING_SECONDS, PRODUCTS = 8, 10.0, 300, 20
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
ITEMS = [{"description": f"item {n}", "qty": n, "unitPrice": f"{n}9.99"} for n in (1, 2, 3)]
CART = json.dumps({"items": ITEMS})


class Client:
    """Sends requests to one instance. Later requests may check out a cart that it added."""

    def __init__(self, port: int, seed: str) -> None:
        self.port = port
        self.chance = random.Random(seed)  # noqa: S311
        self.carts: list[str] = []
        self.idle: asyncio.LifoQueue[Connection | None] = asyncio.LifoQueue()
        for _ in range(CONNECTIONS):
            self.idle.put_nowait(None)

    async def run(self, rate: float, swing: float, end: float) -> None:
        due, running = time.time(), set()
        while due < end:
            now_rate = rate * (1 + swing * math.sin(2 * math.pi * due / SWING_SECONDS))
            due += self.chance.expovariate(now_rate)
            await asyncio.sleep(max(0.0, due - time.time()))
            task = asyncio.create_task(self._one(*self._next()))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.gather(*running)

    def _next(self) -> tuple[str, str]:
        kind = self.chance.random()
        if kind < 0.1:
            return "/cart", CART
        if kind < 0.16 and self.carts:
            return "/cart/checkout", json.dumps({"id": self.carts.pop()})
        return f"/product/{self.chance.randrange(PRODUCTS) + 1}", ""

    async def _one(self, path: str, body: str) -> None:
        connection = await self.idle.get()
        try:
            async with asyncio.timeout(TIMEOUT):
                connection = await self._asked(connection, path, body)
        except (OSError, EOFError, asyncio.IncompleteReadError, TimeoutError, ValueError):
            if connection is not None:
                connection[1].close()
            connection = None
        self.idle.put_nowait(connection)

    async def _asked(self, connection: Connection | None, path: str, body: str) -> Connection:
        text = request(path, body)
        if connection is not None:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._answer(connection, text, path)
                return connection
            connection[1].close()  # the server closed it; connect again, as clients do
        connection = await asyncio.open_connection("127.0.0.1", self.port)
        await self._answer(connection, text, path)
        return connection

    async def _answer(self, connection: Connection, text: bytes, path: str) -> None:
        reader, writer = connection
        writer.write(text)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        body = await reader.readexactly(length)
        if path == "/cart" and b" 200 " in head.split(b"\r\n", 1)[0]:
            self.carts.append(json.loads(body)["id"])


def request(path: str, body: str) -> bytes:
    method = "POST" if body else "GET"
    head = f"{method} {path} HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


async def main(plan: dict[str, Any]) -> None:
    await asyncio.gather(
        *(
            Client(one["port"], name).run(one["rate"], one["swing"], plan["end"])
            for name, one in plan["instances"].items()
        )
    )


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
