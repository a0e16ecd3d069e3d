"""All metrics of real instances reach CloudWatch once, even after kills."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.support.app_bad_input import cart
from tests.support.app_http import ask
from tests.support.app_servers import Shop, postgres, shop
from tests.support.ports import free_port
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(120)]
REGION = "eu-central-1"


class CloudWatch:
    """The CloudWatch of moto: it sums Values and Counts correctly but has no percentiles."""

    def __init__(self, url: str) -> None:
        self.environment = {
            "AWS_ENDPOINT_URL": url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "SHOP_METRICS_SINK": "cloudwatch",
            "SHOP_METRICS_PERIOD": "1",
            "SHOP_ENVIRONMENT": "local",
            "SHOP_HOST": "127.0.0.1",
        }
        self.client = boto3.client(
            "cloudwatch",
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106
        )

    def points(self, name: str, instance: str = "", colour: str = "") -> list[dict[str, Any]]:
        now = datetime.now(UTC).replace(microsecond=0)
        where = {"Environment": "local", "Colour": colour, "Instance": instance}
        answer = self.client.get_metric_statistics(
            Namespace="Shop",
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in where.items() if value],
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=1),
            Period=1,
            Statistics=["Sum", "SampleCount", "Maximum"],
        )
        points: list[dict[str, Any]] = answer["Datapoints"]
        return sorted(points, key=lambda point: point["Timestamp"])

    def total(self, name: str, instance: str, colour: str, what: str = "Sum") -> float:
        return float(sum(point[what] for point in self.points(name, instance, colour)))


@pytest.fixture
def cloudwatch() -> Iterator[CloudWatch]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    ask(f"{url}/moto-api/reset", b"")  # moto's state belongs to the process
    made = CloudWatch(url)
    yield made
    made.client.close()
    server.stop()


def housekeeper(server: Shop) -> int:
    """Return the process id of the background process."""
    assert server.process
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(") ")[2].split()[1])
            command = (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == server.process.pid and b"app.housekeeper" in command:
            return int(path.parent.name)
    return 0


def replace_housekeeper(server: Shop) -> None:
    first = housekeeper(server)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: housekeeper(server) not in (0, first), "another housekeeper")


def test_every_answer_is_published_once(tmp_path: Path, cloudwatch: CloudWatch) -> None:
    """With two workers, a killed publisher, and a stop within a period."""
    own = {"SHOP_COLOUR": "blue", "SHOP_INSTANCE": "i-1", **cloudwatch.environment}
    with shop(tmp_path, **own) as server:
        for number in range(60):
            made = ask(f"{server.url}/cart", cart()).json()
            ask(f"{server.url}/cart/checkout", made)
            ask(f"{server.url}/status")
            if number == 29:
                wait_for(lambda: cloudwatch.total("requests", "i-1", "blue") == 60, "a period")
                replace_housekeeper(server)
    assert cloudwatch.total("requests", "i-1", "blue") == 120
    assert cloudwatch.total("checkouts", "i-1", "blue") == 60
    assert cloudwatch.total("errors", "i-1", "blue") == 0
    assert cloudwatch.total("latency", "i-1", "blue", "SampleCount") == 120
    assert cloudwatch.total("checkout_latency", "i-1", "blue", "SampleCount") == 60
    assert 0 < max(point["Maximum"] for point in cloudwatch.points("cpu", "i-1", "blue")) < 800
    assert max(point["Maximum"] for point in cloudwatch.points("memory", "i-1", "blue")) > 20


def test_each_period_is_published_at_its_start(tmp_path: Path, cloudwatch: CloudWatch) -> None:
    own = {**cloudwatch.environment, "SHOP_METRICS_PERIOD": "2", "SHOP_COLOUR": "blue"}
    with shop(tmp_path, SHOP_INSTANCE="i-1", **own):
        wait_for(lambda: len(cloudwatch.points("requests", "i-1", "blue")) >= 3, "three periods")
    points = cloudwatch.points("requests", "i-1", "blue")
    assert all(point["Timestamp"].timestamp() % 2 == 0 for point in points), points
    assert all(point["SampleCount"] == 1 for point in points[:-1]), points
    sums = [point["Sum"] for point in cloudwatch.points("errors", "i-1", "blue")]
    assert sums == [0.0] * len(sums), "no errors is a zero, not an absence"


def test_dead_workers_and_a_restarted_service_are_restarts(
    tmp_path: Path, cloudwatch: CloudWatch
) -> None:
    crash = {"SHOP_FAULTS": "crash=after:20req@/carts", "SHOP_ALLOW_FAULTS": "1"}
    own = {"SHOP_COLOUR": "green", "SHOP_INSTANCE": "i-2", **cloudwatch.environment, **crash}
    with shop(tmp_path, **own) as server:
        while server.log.read_text(encoding="utf-8").count("Unexpected exit") < 1:
            try:
                ask(f"{server.url}/carts")
            except OSError:
                break
        wait_for(lambda: cloudwatch.total("restarts", "i-2", "green") == 1, "the respawn")
        server.stop()
        server.start()
        wait_for(lambda: cloudwatch.total("restarts", "i-2", "green") == 2, "the restart")


def test_gauges_come_from_one_of_many_instances(tmp_path: Path, cloudwatch: CloudWatch) -> None:
    with postgres() as database:
        own = {**cloudwatch.environment, "SHOP_DATABASE_URL": database.url}
        blue = Shop(tmp_path, {**own, "SHOP_COLOUR": "blue", "SHOP_INSTANCE": "i-1"})
        green = Shop(tmp_path, {**own, "SHOP_COLOUR": "green", "SHOP_INSTANCE": "i-2"})
        try:
            blue.start()
            green.start()
            ask(f"{blue.url}/cart", cart(qty=1, unitPrice="19.99"))
            ask(f"{green.url}/cart", cart(qty=2, unitPrice="0.01"))
            wait_for(lambda: latest(cloudwatch, "carts") == 2, "the gauge")
            assert latest(cloudwatch, "cartsvalue") == 20.01
            blue.stop()  # if it was the leader, another one takes over
            seen = len(cloudwatch.points("carts"))
            wait_for(lambda: len(cloudwatch.points("carts")) >= seen + 2, "the next leader")
        finally:
            green.stop()
            blue.stop()
    # one sample per period: two publishers would send two
    assert {point["SampleCount"] for point in cloudwatch.points("carts")} == {1.0}


def latest(cloudwatch: CloudWatch, name: str) -> float | None:
    points = cloudwatch.points(name)
    return float(points[-1]["Maximum"]) if points else None


def test_abandoned_carts_expire(tmp_path: Path, cloudwatch: CloudWatch) -> None:
    with shop(tmp_path, SHOP_CART_TTL="1", **cloudwatch.environment) as server:
        ask(f"{server.url}/cart", cart())
        assert len(ask(f"{server.url}/carts").json()) == 1
        wait_for(lambda: ask(f"{server.url}/carts").json() == [], "the expiry")


def until(server: Shop) -> int:
    """Return the time up to which an instance reports its metrics as accepted."""
    headers = {name.lower(): value for name, value in ask(f"{server.url}/ready").headers.items()}
    return int(headers.get("x-metrics-until", 0))


def test_an_instance_says_until_when_its_metrics_were_accepted(
    tmp_path: Path, cloudwatch: CloudWatch
) -> None:
    own = {"SHOP_COLOUR": "blue", "SHOP_INSTANCE": "i-1", **cloudwatch.environment}
    with shop(tmp_path, **own) as server:
        wait_for(
            lambda: until(server) and len(cloudwatch.points("requests", "i-1", "blue")) > 1,
            "metrics",
        )
        assert until(server) <= time.time()
        hanging = housekeeper(server)
        os.kill(hanging, signal.SIGSTOP)
        last = until(server)
        wait_for(lambda: time.time() > last + 5, "five periods")
        assert until(server) == last
        os.kill(hanging, signal.SIGCONT)
        wait_for(lambda: until(server) >= last + 5, "the publisher goes on")
        replace_housekeeper(server)
        wait_for(lambda: until(server) > last + 7, "the next publisher")


def test_without_a_sink_an_instance_says_nothing_of_metrics(tmp_path: Path) -> None:
    with shop(tmp_path) as server:
        assert until(server) == 0


def test_cloudwatch_away_costs_no_request(tmp_path: Path, cloudwatch: CloudWatch) -> None:
    away = {**cloudwatch.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    with shop(tmp_path, **away) as server:
        times = []
        for _ in range(100):
            began = time.monotonic()
            assert ask(f"{server.url}/cart", cart()).status == 200
            times.append(time.monotonic() - began)
        wait_for(lambda: "did not accept a batch" in server.log.read_text(), "the warning")
        last = until(server)
        wait_for(lambda: time.time() > last + 5, "five periods")
        assert until(server) == last
    assert sorted(times)[95] < 3
