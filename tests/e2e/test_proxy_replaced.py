"""A replaced proxy serves the live release and no other."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.support.app_http import ask
from tests.support.releases import release
from tests.support.session_cloud import SessionCloud

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
PROXY = "local-proxy-1"


@dataclass
class Shopper:
    """Requests the catalogue from the proxy continuously, at its current address.

    Attributes:
        answers: how often each status and colour came; (0, "") is no response.
        address: of the new proxy, once it responds.
        back: time of its first response.
    """

    cloud: SessionCloud
    old: str
    answers: Counter[tuple[int, str]] = field(default_factory=Counter)
    address: str = ""
    back: float = 0.0

    def shop(self, ended: threading.Event) -> None:
        for number in itertools.count():
            if ended.wait(0.1):
                return
            address = self.cloud.hosts().get(PROXY, "") if not self.back else self.address
            if not address or address == self.old:
                continue
            self.address = address
            try:
                found = ask(
                    f"http://{address}/products", headers={"X-User": str(number)}, timeout=5
                )
            except OSError:
                self.answers[0, ""] += 1
                continue
            self.answers[found.status, found.headers.get("x-colour", "")] += 1
            self.back = self.back or time.monotonic()


@contextmanager
def shopper(cloud: SessionCloud) -> Iterator[Shopper]:
    ended = threading.Event()
    made = Shopper(cloud, cloud.hosts()[PROXY])
    thread = threading.Thread(target=made.shop, args=(ended,))
    thread.start()
    try:
        yield made
    finally:
        ended.set()
        thread.join()


def test_a_new_proxy_serves_what_was_live_and_not_what_a_fresh_one_begins_with(
    cloud: SessionCloud,
) -> None:
    if cloud.status()["live"] == "blue":  # the initial state of a proxy in a new environment
        cloud.output("canary", "deploy", "HEAD", "--env", "local")
        cloud.output("canary", "promote", "--env", "local", "--colour", "green")
    release("broken", "error=500", "A release that answers nothing but 500")
    cloud.output("canary", "deploy", "refs/demo/broken", "--env", "local")
    hosts = cloud.client("ec2").describe_instances(
        Filters=[
            {"Name": "tag:Name", "Values": [PROXY]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
    )
    (identity,) = [i["InstanceId"] for r in hosts["Reservations"] for i in r["Instances"]]
    with shopper(cloud) as seen:
        gone = time.monotonic()
        cloud.client("ec2").terminate_instances(InstanceIds=[identity])
        cloud.output("ansible-playbook", "site.yml")
        time.sleep(10)
    served = {key: count for key, count in seen.answers.items() if key[0]}
    print(f"without a proxy for {seen.back - gone:.0f} s; answers {seen.answers}")  # noqa: T201
    assert {colour for _, colour in served if colour} == {"green"}
    assert not [key for key in served if key[0] == 500]
    assert served[200, "green"] > 50
    status = cloud.status()
    assert status["live"] == status["proxy"]["live"] == "green"
    assert status["differences"] == []
