"""A probe ends in time and reports its result; a hanging probe delays no other."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from prober.probe import Attempt, Prober, Result
from prober.settings import Target
from prober.watch import Watcher

from tests.support.waiting import wait_for
from tests.unit.roles.prober_servers import certificate, dripping, shop

LIMIT = 5.0
SHORT = 0.5
LATE = 10.0
"""Time limit in seconds, on a busy machine, for immediate actions."""


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
    """Each byte restarts the timeout of a socket, but not the limit of a probe."""
    with dripping(piece) as address:
        began = time.monotonic()
        seen = probe(address, SHORT)
        took = time.monotonic() - began
    assert (seen.available, seen.latency) == (False, None)
    assert SHORT * 0.9 <= took < LATE


def test_an_abandoned_probe_ends() -> None:
    with dripping(b"X") as address:
        probe(address, SHORT)
        wait_for(
            lambda: not any(thread.name == "probe-it" for thread in threading.enumerate()),
            "the probe's thread ends",
            LATE,
        )


def test_a_url_is_never_probed_twice_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a silent name server, the thread of a probe cannot be stopped."""
    answer = threading.Event()
    asked: list[str] = []

    def resolve(_: Attempt, parts: Any) -> tuple[int, str]:
        asked.append(parts.geturl())
        answer.wait(LATE)
        return 200, ""

    monkeypatch.setattr(Attempt, "_ask", resolve)
    prober = Prober(Target("it", "http://shop.example/"), SHORT)
    assert prober.probe().reason == "no response within 0.5 s"
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
            Watcher(Prober(target, 300), 1, lambda result: seen[result.name].append(result))
            for target in targets
        ]
        for watcher in watchers:
            watcher.start()
        wait_for(lambda: len(seen["answers"]) >= 3, "three results", 6 * LATE)
        assert seen["hangs"] == []
        for watcher in watchers:
            watcher.stop()
    assert all(result.available for result in seen["answers"])


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
