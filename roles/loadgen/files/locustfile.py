"""Shoppers: each fills a cart, changes it, browses and checks out; then a new one starts.

Every request is one task, so a user sends one request a second, even to a slow shop. Rows such as
``/cart (create) [blue]`` show each colour by itself.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from locust import FastHttpUser, constant_throughput, events, task
from locust.env import Environment

PRODUCTS = tuple(range(1, 21))
Step = Callable[[], None]


@events.init.add_listener
def listen(environment: Environment, **_: Any) -> None:
    environment.events.request.add_listener(partial(count_by_colour, environment))


def count_by_colour(
    environment: Environment,
    request_type: str,
    name: str,
    response_time: float,
    response_length: int,
    response: Any = None,
    exception: Exception | None = None,
    **_: Any,
) -> None:
    """Add a row per colour, outside the total, so that "Aggregated" counts each request once."""
    colour = (getattr(response, "headers", None) or {}).get("X-Colour")
    if colour is None:
        return
    entry = environment.stats.get(f"{name} [{colour}]", request_type)
    entry.log(response_time, response_length)
    if exception is not None:
        entry.log_error(exception)


def cart_id(answer: Any) -> str | None:
    """Return the id of the cart in the response; a response without an id is a failure."""
    if answer.status_code != 200:
        return None
    try:
        return str(answer.json()["id"])
    except (ValueError, TypeError, KeyError):
        answer.failure("the response is not a cart")
        return None


class Shopper(FastHttpUser):
    wait_time = constant_throughput(1)
    connection_timeout = 5.0
    network_timeout = 10.0

    def on_start(self) -> None:
        self.steps = self.journey()

    @task
    def step(self) -> None:
        try:
            next(self.steps)
        except StopIteration:
            self.steps = self.journey()
            next(self.steps)

    def journey(self) -> Iterator[None]:
        """Run one shopper from an empty cart to an order; yield after each request."""
        self.shopper = uuid.uuid4().hex
        product = random.choice(PRODUCTS)  # noqa: S311 - not for secrets
        with self.request("GET", f"/product/{product}", "/product/[id]") as answer:
            if answer.status_code == 404:
                answer.success()
                missing = True
            else:
                missing = False
        yield
        if missing:
            yield from self.stock(product)
        items = [{"description": f"Product {product}", "qty": 1, "unitPrice": "19.99"}]
        with self.request("POST", "/cart", "/cart (create)", json={"items": items}) as answer:
            cart = cart_id(answer)
        yield
        if cart is None:
            return
        items[0]["qty"] = 2
        body = {"id": cart, "items": items}
        with self.request("POST", "/cart", "/cart (update)", json=body):
            pass
        yield
        if random.random() < 0.2:  # noqa: S311
            with self.request("GET", "/carts", "/carts"):
                pass
            yield
        with self.request("POST", "/cart/checkout", "/cart/checkout", json=body):
            pass
        yield

    def stock(self, product: int) -> Iterator[None]:
        body = {"id": product, "name": f"Product {product}", "price": "19.99"}
        with self.request("POST", "/data", "/data", json=body):
            pass
        yield

    def request(self, method: str, path: str, name: str, **arguments: Any) -> Any:
        headers = {"X-User": self.shopper}
        if method == "POST":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        return self.client.request(
            method, path, name=name, headers=headers, catch_response=True, **arguments
        )
