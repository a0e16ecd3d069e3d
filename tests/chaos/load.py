"""A bounded, open-loop load: a fixed rate, independent of responses.

Customers read pages and buy: a cart, then its checkout, each with its own key. A failure is a
failed first attempt. Customers then retry the checkout with the same key, and every fifth sends it
twice at once. The responses are compared with the database afterwards.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

PATIENCE = 15.0
AGAIN = (1.0, 3.0, 6.0)
"""Seconds until a customer retries a failed checkout."""
APART = 0.002
"""Seconds between header and body. Many clients send them apart, so a proxy may have begun."""
PRODUCTS = 20
LONGEST = 900.0
"""Seconds after which a load ends by itself, unless another limit is given."""


@dataclass
class Load:
    """Use as a context; ``rate`` requests a second, half of them reads.

    ``host`` may be set to another address while it runs. ``when`` has the time and kind of each
    failure. ``ran_out``: it ended by itself after ``longest`` seconds.
    """

    host: str
    rate: float
    longest: float = LONGEST
    run: str = field(default_factory=lambda: f"chaos-{uuid.uuid4().hex[:8]}")
    sent: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)
    when: list[tuple[float, str]] = field(default_factory=list)
    told: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    ran_out: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Load:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5 * PATIENCE)

    async def _run(self) -> None:
        for number in range(1, PRODUCTS + 1):
            await self._exchange("POST", "/data", {"id": number, "name": "A thing", "price": 1})
        began, number, going = time.monotonic(), 0, set()
        while not self._stop.is_set() and time.monotonic() - began < self.longest:
            # a purchase is two requests, so two of four requests are reads
            task = asyncio.create_task(self._read(number) if number % 3 else self._buy(number))
            going.add(task)
            task.add_done_callback(going.discard)
            number += 1
            await asyncio.sleep(max(0.0, began + number / (self.rate * 0.75) - time.monotonic()))
        self.ran_out = not self._stop.is_set()
        await asyncio.gather(*going)

    async def _read(self, number: int) -> None:
        path = f"/product/{number % PRODUCTS + 1}" if number % 2 else "/"
        await self._ask("read", "GET", path, None)

    async def _buy(self, number: int) -> None:
        who = f"{self.run}-{number}"
        items = [{"description": who, "qty": 1, "unitPrice": "19.99"}]
        cart = await self._ask("write", "POST", "/cart", {"items": items})
        if cart is None:
            return
        checkout = ("/cart/checkout", {"id": json.loads(cart)["id"]}, uuid.uuid4().hex)
        tries = [self._check_out(who, *checkout)]
        if number % 5 == 0:
            tries.append(self._check_out(who, *checkout))
        await asyncio.gather(*tries)

    async def _check_out(self, who: str, path: str, body: Any, key: str) -> None:
        order = await self._ask("write", "POST", path, body, key)
        for pause in AGAIN:
            if order is not None:
                break
            await asyncio.sleep(pause)
            order = await self._ask("", "POST", path, body, key)
        if order is not None:
            self.told[who].append(order.decode().strip())

    async def _ask(
        self, kind: str, method: str, path: str, body: Any, key: str = ""
    ) -> bytes | None:
        """Send one request. A retry has no kind and is not counted."""
        self.sent[kind] += 1
        try:
            exchange = self._exchange(method, path, body, key)
            status, answer = await asyncio.wait_for(exchange, PATIENCE)
        except (OSError, TimeoutError, ValueError, IndexError) as error:
            self._fail(kind, type(error).__name__)
            return None
        if status != 200:
            self._fail(kind, f"{method} {path.rstrip('0123456789')} {status}")
            return None
        return answer

    def _fail(self, kind: str, why: str) -> None:
        self.failed[kind] += 1
        if kind:
            self.why[why] += 1
            self.when.append((time.monotonic(), kind))

    async def _exchange(
        self, method: str, path: str, body: Any, key: str = ""
    ) -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection(self.host, 80)
        try:
            for part in request(method, path, body, key):
                writer.write(part)
                await asyncio.sleep(APART)
            answer = await reader.read(-1)
        finally:
            writer.close()
        head, _, content = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), content


def request(method: str, path: str, body: Any, key: str) -> list[bytes]:
    """Return the header and the body of a request; each is from a new shopper."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.0", "Host: shop", f"X-User: {uuid.uuid4().hex}"]
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        lines.append(f"Idempotency-Key: {key or uuid.uuid4().hex}")
    head = "\r\n".join([*lines, "", ""]).encode()
    return [head, content] if content else [head]
