"""A probe ends in time and says what it saw; one that hangs delays no other."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from prober.page import Page
from prober.probe import Attempt, Prober, Result
from prober.publish import Outbox, data_of
from prober.settings import Settings, Target
from prober.watch import Watcher

from tests.unit.roles.prober_servers import certificate, dripping, shop

LIMIT = 5.0
SHORT = 0.5
LATE = 10.0
"""Seconds that a busy machine may take for what has to happen at once."""
GOOD = {
    "PROBER_ENVIRONMENT": "local",
    "PROBER_NAMESPACE": "Shop",
    "PROBER_URLS": '[{"name": "shop", "url": "http://192.0.2.1/status"}]',
    "PROBER_PERIOD": "10",
    "PROBER_LIMIT": "5",
    "PROBER_PORT": "9199",
}


def probe(url: str, limit: float = LIMIT, **more: Any) -> Result:
    return Prober(Target("it", url, **more), limit).probe()


def test_a_right_answer_is_availability_and_a_time() -> None:
    with shop() as address:
        seen = probe(f"{address}/status/200")
    assert (seen.name, seen.available, seen.reason) == ("it", True, "")
    assert seen.latency is not None
    assert 0 < seen.latency < LIMIT


def test_a_wrong_status_is_no_availability_but_a_time() -> None:
    with shop() as address:
        seen = probe(f"{address}/status/503")
        expected = probe(f"{address}/status/404", status=404)
    assert (seen.available, seen.reason) == (False, "status 503, not 200")
    assert seen.latency is not None
    assert expected.available


@pytest.mark.parametrize(
    ("path", "available", "reason"),
    [("/hop/5", True, ""), ("/hop/6", False, "more than 5 redirects; the next is")],
)
def test_redirects_are_followed_but_not_for_ever(path: str, available: bool, reason: str) -> None:  # noqa: FBT001
    with shop() as address:
        seen = probe(address + path)
    assert seen.available is available
    assert seen.reason.startswith(reason)


def test_a_redirect_may_be_what_is_expected() -> None:
    with shop() as address:
        assert probe(f"{address}/hop/1", status=302).available


def test_nobody_there_is_no_availability_and_no_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    seen = probe(f"http://127.0.0.1:{port}/")
    assert (seen.available, seen.latency) == (False, None)
    assert "ConnectionRefusedError" in seen.reason


@pytest.mark.parametrize("piece", [b"", b"X", b"HTTP/1.1 200 OK\r\nA: b\r\n"])
def test_the_limit_holds_against_a_server_that_never_ends(piece: bytes) -> None:
    """Each byte begins a socket's timeout anew; it may not begin the limit anew."""
    with dripping(piece) as address:
        began = time.monotonic()
        seen = probe(address, SHORT)
        took = time.monotonic() - began
    assert (seen.available, seen.latency) == (False, None)
    assert SHORT * 0.9 <= took < LATE


def test_an_abandoned_probe_ends() -> None:
    with dripping(b"X") as address:
        probe(address, SHORT)
        deadline = time.monotonic() + LATE
        while any(thread.name == "probe-it" for thread in threading.enumerate()):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_url_is_never_probed_twice_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a name server is silent: such a thread can't be ended from outside."""
    answer = threading.Event()
    asked: list[str] = []

    def resolve(_: Attempt, parts: Any) -> tuple[int, str]:
        asked.append(parts.geturl())
        answer.wait(LATE)
        return 200, ""

    monkeypatch.setattr(Attempt, "_ask", resolve)
    prober = Prober(Target("it", "http://shop.example/"), SHORT)
    assert prober.probe().reason == "no answer within 0.5 s"
    assert prober.probe().reason == "the last one still hangs"
    assert len(asked) == 1
    answer.set()


def test_a_certificate_is_checked_and_its_days_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certificate(tmp_path, days=30)
    with shop(context) as address:
        unknown = probe(f"{address}/status/200")
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        seen = probe(f"{address}/status/200")
    assert not unknown.available
    assert "self-signed" in unknown.reason
    assert seen.available, seen.reason
    assert seen.certificate_days == pytest.approx(30, abs=0.1)


def test_a_certificate_that_has_expired_is_no_availability(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certificate(tmp_path, days=-1)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with shop(context) as address:
        seen = probe(f"{address}/status/200")
    assert not seen.available
    assert "expired" in seen.reason


def test_a_probe_that_hangs_delays_no_other() -> None:
    seen: dict[str, list[Result]] = {"hangs": [], "answers": []}
    with dripping(b"") as silent, shop() as address:
        targets = (Target("hangs", silent), Target("answers", f"{address}/status/200"))
        watchers = [
            Watcher(Prober(target, 0.9), 1, lambda result: seen[result.name].append(result))
            for target in targets
        ]
        for watcher in watchers:
            watcher.start()
        deadline = time.monotonic() + 6 * LATE
        while min(len(results) for results in seen.values()) < 3:
            assert time.monotonic() < deadline, seen
            time.sleep(0.1)
        for watcher in watchers:
            watcher.stop()
    assert all(result.available for result in seen["answers"])
    assert not any(result.available for result in seen["hangs"])
    assert abs(len(seen["answers"]) - len(seen["hangs"])) <= 1


def test_a_bug_is_not_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Prober) -> Result:
        raise RuntimeError("bug")

    told = threading.Event()
    results: list[Result] = []

    def tell(result: Result) -> None:
        results.append(result)
        told.set()

    monkeypatch.setattr(Prober, "probe", broken)
    watcher = Watcher(Prober(Target("it", "http://192.0.2.1/"), SHORT), 1, tell)
    watcher.start()
    assert told.wait(LATE)
    watcher.stop()
    assert (results[0].available, results[0].reason) == (False, "bug")


class CloudWatch:
    """Refuses at first, and remembers what it took."""

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
