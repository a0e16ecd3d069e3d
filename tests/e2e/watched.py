"""The environment as an operator sees it: alarms, e-mails, records, monitor pages."""

from __future__ import annotations

import email
import email.policy
import json
import subprocess
import urllib.parse
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any
from urllib.request import Request, urlopen

import boto3

from local_cloud.settings import Settings
from tests.e2e.demo import address, answer
from tests.support.paths import ROOT

PATIENCE = 300
"""Time limit in seconds, on a busy machine, for changes that usually take a few periods."""
ITEMS = [{"description": "A sweater", "qty": 1, "unitPrice": "500"}]


def client(service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=Settings.load().endpoint,
        region_name="eu-central-1",
        aws_access_key_id="local",
        aws_secret_access_key="unchecked",  # noqa: S106 - the local cloud takes any
    )


@cache
def proxy() -> str:
    """Return the address of the proxy; cached, because each call starts a program."""
    return address("local-proxy-1")


def shop(path: str, body: dict[str, Any] | None = None) -> str:
    """Send a request to the shop through the proxy."""
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(f"http://{proxy()}{path}", data), timeout=10) as reply:
        return str(reply.read().decode())


def put_cart() -> str:
    """Fill a cart, and return its id."""
    return str(json.loads(shop("/cart", {"items": ITEMS}))["id"])


def open_carts() -> Iterator[str]:
    """Yield the id of every open cart, page by page."""
    page = json.loads(shop("/carts"))
    while page:
        yield from page
        page = json.loads(shop(f"/carts?after={page[-1]}"))


def check_out(carts: Iterable[str]) -> None:
    for cart in carts:
        shop("/cart/checkout", {"id": cart, "items": ITEMS})


def alarm_states() -> dict[str, str]:
    """Return the state of every alarm, without the prefix of its name."""
    alarms = client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {each["AlarmName"].removeprefix("shop-local-"): each["StateValue"] for each in alarms}


def changes(since: str) -> list[dict[str, Any]]:
    """Return the alarm changes of ``canary alarms`` since a time."""
    told = answer("canary", "alarms", "--env", "local", "--limit", "500", "--json")
    return [change for change in told if change["time"] >= since]


def mails(since: float) -> list[str]:
    """Return the subjects of all mails to the operators since then."""
    found = []
    for path in sorted(Settings.load().mail.glob("*.eml")):
        if path.stat().st_mtime >= since:
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            assert mail["To"] == "ops@example.org"
            found.append(str(mail["Subject"]))
    return found


def on_host(name: str, command: str, stdin: str = "") -> str:
    """Run a command on a host, as root; it must succeed."""
    done = subprocess.run(
        ["local-cloud", "ssh", name, f"sudo sh -c '{command}'"],
        cwd=ROOT,
        input=stdin,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def prometheus(what: str, **arguments: Any) -> Any:
    """Query Prometheus on the monitor host."""
    wanted = f"{what}?{urllib.parse.urlencode(arguments)}"
    with urlopen(f"http://{address('local-monitor-1')}:9090/api/v1/{wanted}", timeout=30) as reply:
        return json.load(reply)["data"]
