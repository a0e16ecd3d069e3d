"""Requests at a fixed rate, independent of responses (open loop)."""

from __future__ import annotations

import asyncio
import math
import time

CONNECTIONS = 32
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def at_rate(port: int, path: str, bodies: list[str], rate: float) -> float:
    """Return the 99th percentile in milliseconds, measured from the planned time of each request.

    Measured from the send time, a stalled server would hide its stall (coordinated omission: G.
    Tene, "How NOT to measure latency", 2013).
    """
    return asyncio.run(_at_rate(port, path, bodies, rate))


async def _at_rate(port: int, path: str, bodies: list[str], rate: float) -> float:
    idle: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
    for _ in range(CONNECTIONS):
        idle.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    began = time.perf_counter() + 0.1
    requests = [_request(path, body) for body in bodies]
    asked = [_one(port, idle, each, began + at / rate) for at, each in enumerate(requests)]
    took = sorted(await asyncio.gather(*asked))
    while not idle.empty():
        writer = idle.get_nowait()[1]
        writer.close()
    return took[math.ceil(0.99 * len(took)) - 1] * 1000


def _request(path: str, body: str) -> bytes:
    method = "POST" if body else "GET"
    head = f"{method} {path} HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


async def _one(port: int, idle: asyncio.LifoQueue[Connection], request: bytes, due: float) -> float:
    await asyncio.sleep(max(0.0, due - time.perf_counter()))
    reader, writer = await idle.get()
    writer.write(request)
    head = await reader.read(1)
    if not head:  # the server closed an old connection: reconnect, as clients do
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
    head += await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise RuntimeError(f"answered {head.splitlines()[0]!r}")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    await reader.readexactly(length)
    idle.put_nowait((reader, writer))
    return time.perf_counter() - due
