"""The published data and the settings of the prober."""

from __future__ import annotations

import threading
import time
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError
from prober.backup import age
from prober.page import Page
from prober.probe import Result
from prober.publish import Outbox, data_of
from prober.settings import Settings, Target

LATE = 10.0
GOOD = {
    "PROBER_ENVIRONMENT": "local",
    "PROBER_NAMESPACE": "Shop",
    "PROBER_URLS": '[{"name": "shop", "url": "http://192.0.2.1/status"}]',
    "PROBER_PERIOD": "10",
    "PROBER_LIMIT": "5",
    "PROBER_PORT": "9199",
}


class CloudWatch:
    """Fails first, then records the data."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.taken: list[dict[str, Any]] = []
        self.enough = threading.Event()

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803
        assert Namespace == "Shop"
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError("away")
        self.taken += MetricData
        if len(self.taken) >= 6:
            self.enough.set()


def test_what_cloudwatch_did_not_take_is_sent_again_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("prober.publish.PAUSE", 0.05)
    client = CloudWatch(refusals=2)
    outbox = Outbox(client, "Shop", "local", 10)
    outbox.start()
    for second in range(3):
        outbox.put(Result("shop", 1_800_000_000 + second, available=False, reason="away"))
    assert client.enough.wait(LATE)
    moments = [datum["Timestamp"].timestamp() for datum in client.taken]
    assert moments == sorted(moments)
    assert len(moments) == 6


def test_only_a_short_period_is_paid_for_as_high_resolution() -> None:
    result = Result("shop", 1_800_000_000, available=True, reason="", latency=0.1)
    assert {each["StorageResolution"] for each in data_of(result, "local", 10)} == {1}
    assert {each["StorageResolution"] for each in data_of(result, "local", 60)} == {60}


def test_prometheus_sees_the_newest_of_each_url() -> None:
    page = Page(0)
    try:
        page.put(Result("shop", 1.0, available=True, reason="", latency=0.25))
        page.put(Result("blue-1", 1.0, available=True, reason="", latency=0.1))
        page.put(Result("blue-1", 2.0, available=False, reason="gone"))
        lines = [line for line in page.text().splitlines() if not line.startswith("#")]
        assert lines == [
            'probe_availability{url="blue-1"} 0',
            'probe_availability{url="shop"} 1',
            'probe_latency_seconds{url="shop"} 0.25',
        ]
    finally:
        page._server.server_close()


def test_settings_are_read() -> None:
    settings = Settings.load(GOOD)
    assert settings.targets == (Target("shop", "http://192.0.2.1/status"),)
    assert (settings.period, settings.limit) == (10, 5.0)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PROBER_PERIOD", "61", "PROBER_PERIOD is 61; 1 to 60 fit"),
        ("PROBER_LIMIT", "10", "PROBER_LIMIT is 10; it must be above 0 and below the period"),
        ("PROBER_URLS", '[{"name": "a", "url": "ftp://x/"}]', "'ftp://x/' is no address to probe"),
        ("PROBER_URLS", '[{"name": "a", "adress": "x"}]', "can't be read"),
        (
            "PROBER_URLS",
            '[{"name": "a", "url": "http://x/"}, {"name": "a", "url": "http://y/"}]',
            "needs its own name",
        ),
    ],
)
def test_settings_that_make_no_sense_are_refused(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SystemExit, match=sentence):
        Settings.load({**GOOD, name: value})


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(SystemExit, match="PROBER_URLS is not set"):
        Settings.load({name: value for name, value in GOOD.items() if name != "PROBER_URLS"})


@pytest.mark.usefixtures("aws")
def test_the_age_of_the_newest_backup_is_read_from_the_bucket() -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="shop")
    assert age(s3, "shop", time.time() - 500) == pytest.approx(500, abs=60), "there is none yet"
    s3.put_object(Bucket="shop", Key="backups/shop-20261126T020000Z.dump", Body=b"unfinished")
    assert age(s3, "shop", time.time() - 500) == pytest.approx(500, abs=60)
    s3.put_object(Bucket="shop", Key="backups/latest", Body=b"shop-20261126T020000Z.dump")
    assert age(s3, "shop", time.time() - 500) < 60


def test_a_bucket_that_cannot_be_read_is_no_age() -> None:
    broken = Mock()
    answer = {"ResponseMetadata": {"HTTPStatusCode": 500}, "Error": {}}
    broken.head_object.side_effect = ClientError(answer, "HeadObject")
    with pytest.raises(ClientError):
        age(broken, "shop", 0.0)
