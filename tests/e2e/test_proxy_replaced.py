"""A proxy that was stopped or replaced serves only the live release."""

from __future__ import annotations

import itertools
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException

import pytest

from tests.support.app_http import ask
from tests.support.paths import ROOT
from tests.support.releases import release
from tests.support.session_cloud import SessionCloud
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
PROXY = "local-proxy-1"


def proxies(cloud: SessionCloud) -> dict[str, str]:
    """Return the addresses of running proxies, by instance."""
    name = {"Name": "tag:Name", "Values": [PROXY]}
    running = {"Name": "instance-state-name", "Values": ["running"]}
    answer = cloud.client("ec2").describe_instances(Filters=[name, running])
    instances = [each for kept in answer["Reservations"] for each in kept["Instances"]]
    return {each["InstanceId"]: str(each["PrivateIpAddress"]) for each in instances}


@dataclass
class Shopper:
    """Requests the catalogue from the new proxy continuously from its start on.

    Attributes:
        old: the instance that is replaced.
        answers: number of responses by status and colour; (0, "") is no response.
        back: time of the first response.
    """

    cloud: SessionCloud
    old: str
    answers: Counter[tuple[int, str]] = field(default_factory=Counter)
    back: float = 0.0

    def shop(self, ended: threading.Event) -> None:
        address = ""
        for number in itertools.count():
            if ended.wait(0.1):
                return
            found = {} if address else proxies(self.cloud)
            address = address or next((ip for name, ip in found.items() if name != self.old), "")
            if address:
                self.answers[self.request(address, number)] += 1

    def request(self, address: str, number: int) -> tuple[int, str]:
        user = {"X-User": str(number)}
        try:
            answer = ask(f"http://{address}/products", headers=user, timeout=5)
        except (OSError, HTTPException):
            return 0, ""
        self.back = self.back or time.monotonic()
        return answer.status, answer.headers.get("x-colour", "")


@contextmanager
def shopper(cloud: SessionCloud, old: str) -> Iterator[Shopper]:
    ended = threading.Event()
    made = Shopper(cloud, old)
    thread = threading.Thread(target=made.shop, args=(ended,))
    thread.start()
    try:
        yield made
    finally:
        ended.set()
        thread.join()


@pytest.fixture
def broken(cloud: SessionCloud) -> Iterator[SessionCloud]:
    """Green is live. Blue, the initial colour of a new environment, answers only 500."""
    if cloud.status()["live"] == "blue":
        cloud.output("canary", "deploy", "HEAD", "--env", "local")
        cloud.output("canary", "promote", "--env", "local", "--colour", "green")
    release("broken", "error=500", "A release that answers nothing but 500")
    cloud.output("canary", "deploy", "refs/demo/broken", "--env", "local")
    yield cloud
    if not proxies(cloud):  # the test failed, but other tests still need this cloud
        cloud.output("ansible-playbook", "site.yml")
    cloud.output("canary", "deploy", "HEAD", "--env", "local")


def stop_and_start(cloud: SessionCloud, instance: str) -> None:
    """Stop an instance through the EC2 API, and start it again."""
    ec2, pace = cloud.client("ec2"), {"Delay": 1, "MaxAttempts": 300}
    ec2.stop_instances(InstanceIds=[instance])
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance], WaiterConfig=pace)
    ec2.start_instances(InstanceIds=[instance])
    ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig=pace)


def colour_at(address: str, user: int = 0) -> str:
    """Return the colour that serves a user; empty while nobody does."""
    headers = {"X-User": str(user)}
    try:
        answer = ask(f"http://{address}/products", headers=headers, timeout=5)
        return str(answer.headers.get("x-colour", ""))
    except (OSError, HTTPException):
        return ""


def agrees(cloud: SessionCloud) -> bool:
    """Return whether the proxy serves the colour and the release that should be live."""
    command = ["canary", "status", "--env", "local", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=cloud.environment(), capture_output=True)
    return done.returncode == 0


def test_a_proxy_that_was_stopped_and_one_that_replaces_it_serve_what_was_live(
    broken: SessionCloud,
) -> None:
    before = proxies(broken)
    (old,) = before
    stop_and_start(broken, old)
    assert proxies(broken) == before, "it has the same address"
    wait_for(lambda: colour_at(before[old]), "the proxy is back", 300)
    assert {colour_at(before[old], user) for user in range(20)} == {"green"}
    wait_for(lambda: agrees(broken), "the proxy serves the release that is meant to be live", 120)

    with shopper(broken, old) as seen:
        gone = time.monotonic()
        broken.client("ec2").terminate_instances(InstanceIds=[old])
        broken.output("ansible-playbook", "site.yml")
        time.sleep(10)
    print(f"without a proxy for {seen.back - gone:.0f} s; answers {seen.answers}")  # noqa: T201
    assert {colour for _, colour in seen.answers if colour} == {"green"}
    assert not [status for status, _ in seen.answers if status == 500]
    assert seen.answers[200, "green"] > 50
    status = broken.status()
    assert status["live"] == status["proxy"]["live"] == "green"
    assert status["differences"] == []
