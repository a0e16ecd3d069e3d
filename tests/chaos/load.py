"""A bounded, open-loop load: so many requests a second, whatever became of those before.

Reads, and writes that carry an idempotency key. What was acknowledged is remembered, and compared
with the database afterwards. Nothing is tried again here: a failure is what a customer would see.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

PATIENCE = 15.0
ITEMS = [{"description": "A thing", "qty": 1, "unitPrice": "19.99"}]
LONGEST = 900.0


@dataclass
class Load:
    """Use as a context; ``rate`` requests a second, half of them reads."""

    host: str
    rate: float
    sent: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Load:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=3 * PATIENCE)

    async def _run(self) -> None:
        began, number, going = time.monotonic(), 0, set()
        while not self._stop.is_set() and time.monotonic() - began < LONGEST:
            # A write is two requests, create and check out; so of four requests two are reads.
            task = asyncio.create_task(self._read() if number % 3 else self._order())
            going.add(task)
            task.add_done_callback(going.discard)
            number += 1
            await asyncio.sleep(max(0.0, began + number / (self.rate * 0.75) - time.monotonic()))
        await asyncio.gather(*going)

    async def _read(self) -> None:
        await self._ask("read", "GET", "/status", None)

    async def _order(self) -> None:
        cart = await self._ask("write", "POST", "/cart", {"items": ITEMS})
        if cart is None:
            return
        order = await self._ask("write", "POST", "/cart/checkout", {"id": json.loads(cart)["id"]})
        if order is not None:
            self.acknowledged.add(json.loads(cart)["id"])

    async def _ask(self, kind: str, method: str, path: str, body: Any) -> bytes | None:
        self.sent[kind] += 1
        try:
            status, answer = await asyncio.wait_for(self._exchange(method, path, body), PATIENCE)
        except (OSError, TimeoutError, ValueError, IndexError) as error:
            self._lost(kind, type(error).__name__)
            return None
        if status != 200:
            self._lost(kind, f"{method} {path} {status}")
            return None
        return answer

    def _lost(self, kind: str, why: str) -> None:
        self.failed[kind] += 1
        self.why[why] += 1

    async def _exchange(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection(self.host, 80)
        try:
            writer.write(request(method, path, body))
            await writer.drain()
            answer = await reader.read(-1)
        finally:
            writer.close()
        head, _, content = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), content


def request(method: str, path: str, body: Any) -> bytes:
    """Return the bytes of one request; each is another shopper's."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.0", "Host: shop", f"X-User: {uuid.uuid4().hex}"]
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        lines.append(f"Idempotency-Key: {uuid.uuid4().hex}")
    return "\r\n".join([*lines, "", ""]).encode() + content


def orders(load: Load) -> tuple[int, int]:
    """Return how many acknowledged orders the database lacks, and how many carts have two."""
    query = "SELECT cart_id FROM orders"
    psql = ["sudo", "-u", "postgres", "psql", "-At", "shop", "-c", f"'{query}'"]
    command = ["local-cloud", "ssh", "local-data-1", *psql]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = Counter(done.stdout.split())
    lost = sum(cart not in found for cart in load.acknowledged)
    return lost, sum(count > 1 for count in found.values())
