"""Shoppers: each visit is a new person who fills a cart, changes it, and mostly buys it.

A person is a key in the header X-User, by which the proxy keeps them on one release. Each shopper
sends one request a second, however long the answers take. Beside Locust's own rows there is one
for each colour, which does not count towards the total.
"""

from __future__ import annotations

import random
import uuid
from typing import Any

from locust import FastHttpUser, SequentialTaskSet, constant_throughput, events, task
from locust.env import Environment

GOODS = (("Ugly christmas sweater", "500"), ("Samsung TV", "140"), ("Socks", "7.50"))


class Visit(SequentialTaskSet):
    """What one person does."""

    def on_start(self) -> None:
        self.headers = {"X-User": str(uuid.uuid4())}
        self.cart: dict[str, Any] = {"items": [self.item()]}

    @staticmethod
    def item() -> dict[str, str]:
        description, price = random.choice(GOODS)
        return {"description": description, "qty": str(random.randint(1, 3)), "unitPrice": price}

    def post(self, path: str, **headers: str) -> None:
        with self.client.post(
            path, json=self.cart, headers={**self.headers, **headers}, catch_response=True
        ) as answer:
            if answer.status_code == 200 and path == "/cart":
                self.cart = answer.json()

    @task
    def fill(self) -> None:
        self.post("/cart")

    @task
    def change(self) -> None:
        self.cart["items"].append(self.item())
        self.post("/cart")

    @task
    def look(self) -> None:
        self.client.get("/", headers=self.headers)

    @task
    def buy(self) -> None:
        if "id" in self.cart:
            self.post("/cart/checkout", **{"Idempotency-Key": self.cart["id"]})

    @task
    def leave(self) -> None:
        self.interrupt(reschedule=True)


class Shopper(FastHttpUser):
    wait_time = constant_throughput(1)
    tasks = [Visit]
    connection_timeout = 5.0
    network_timeout = 15.0


@events.init.add_listener
def count_by_colour(environment: Environment, **_: Any) -> None:
    """Add a row for each colour that answers."""

    def count(request_type: str, name: str, response_time: float, **facts: Any) -> None:
        headers = getattr(facts.get("response"), "headers", None) or {}
        colour = headers.get("X-Colour")
        if colour is None:
            return
        row = environment.stats.get(f"{name} [{colour}]", request_type)
        row.log(int(response_time), facts.get("response_length") or 0)
        if facts.get("exception") is not None:
            row.log_error(facts["exception"])

    environment.events.request.add_listener(count)
