"""The measurements of the fault suite detect lost orders, unsafe ends and excess traffic."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import Mock
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from shop_traffic import ring
from shop_traffic.runtime import Seen

from tests.chaos import __main__ as main
from tests.chaos import row as row_of_chaos
from tests.chaos.__main__ import ordered
from tests.chaos.fault import Fault, Scene
from tests.chaos.orders import Books, compare
from tests.chaos.page import cells, page, published
from tests.chaos.relay import JSON, LOST, TARGET, Relay
from tests.chaos.row import Row
from tests.chaos.watch import Look, swollen
from tests.support.paths import ROOT
from tests.support.proxy_world import SERVERS

VALUES = {
    "MetricDataResults": [
        {"Id": name, "StatusCode": "Complete", "Timestamps": [1, 2], "Values": [3.0, 4.0]}
        for name in ("q0", "q1")
    ]
}


@pytest.mark.parametrize(
    ("told", "rows", "found"),
    [
        ({"a": ["1"]}, [("a", "1")], Books(0, 0)),
        ({"a": ["1", "1"]}, [("a", "1")], Books(0, 0)),  # sent twice, with the same response
        ({}, [("a", "1")], Books(0, 0)),  # the response was lost, the order exists
        ({"a": ["1"]}, [], Books(1, 0)),
        ({"a": ["1"]}, [("a", "2")], Books(1, 0)),
        ({"a": ["1"]}, [("a", "1"), ("a", "2")], Books(0, 1)),
        ({}, [("a", "1"), ("a", "2")], Books(0, 1)),
        ({"a": ["1", "2"]}, [("a", "1")], Books(1, 1)),  # two acknowledged, one of them missing
    ],
)
def test_books(told: dict[str, list[str]], rows: list[tuple[str, str]], found: Books) -> None:
    assert compare(told, rows) == found


@pytest.mark.parametrize(
    ("change", "bad"),
    [
        ({}, False),
        ({"agrees": "NO"}, True),
        ({"next": "NO"}, True),
        ({"books": Books(1, 0)}, True),
        ({"books": Books(0, 1)}, True),
        ({"ended": "PASS"}, False),
        ({"ended": "PASS", "evidence": True}, True),
    ],
)
def test_what_makes_a_row_bad(change: dict[str, Any], bad: bool) -> None:  # noqa: FBT001
    good = {"name": "x", "agrees": "yes", "next": "ran", "ended": "(went on)"}
    assert Row(**{**good, **change}).bad is bad


def test_rows_stay_in_the_order_of_the_faults() -> None:
    names = ["a pair", "the proxy is replaced", "deploy cut", "kill -9 canary"]
    found = ordered(dict.fromkeys(names, ()))
    assert list(found) == ["kill -9 canary", "the proxy is replaced", "a pair", "deploy cut"]


MEASURED = Row(
    "kill -9 the cache",
    sent={"read": 10, "write": 20},
    failed={"write": 1},
    ended="(went on)",
    agrees="yes",
    next="ran",
    load_average=3.4,
    moment="2026-11-26 15:00",
)


def test_page_holds_a_row_of_each_kind() -> None:
    cut = replace(
        MEASURED, kind="cut", name="deploy cut", ended="7", reason="9 tasks", next="works"
    )
    text = page({row.name: cells(row) for row in (MEASURED, cut)}, cores=2)
    assert (
        "| kill -9 the cache | 0 of 10 | 1 of 20 | 0 | 0 | kept | (went on) | yes | ran |" in text
    )
    assert "| deploy cut | 7 of 9 tasks | 0 of 10 | 1 of 20 | 0 | 0 | works | yes |" in text
    assert text.count("2026-11-26 15:00, 3 |") == 2


def test_a_run_keeps_the_published_rows_that_it_does_not_measure() -> None:
    """The committed page stays unchanged, and a measurement replaces only its own row."""
    committed = (ROOT / "docs/chaos.md").read_text()
    found = published(committed)
    assert page(ordered(found), cores=2) == committed
    changed = page(ordered(found | {MEASURED.name: cells(MEASURED)}), cores=2)
    lines = zip(committed.splitlines(), changed.splitlines(), strict=True)
    assert [new[:21] for old, new in lines if old != new] == ["| kill -9 the cache |"]


def test_a_row_that_met_a_problem_replaces_no_published_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "chaos.md"
    monkeypatch.setattr(main, "PAGE", place)
    place.write_text(page({MEASURED.name: cells(MEASURED)}, cores=2))
    main.publish([replace(MEASURED, to_zero=99.0, problem="not inflicted: no such host")])
    assert "| 0 | 0 | kept | (went on) |" in place.read_text()
    main.publish([replace(MEASURED, to_zero=9.0)])
    assert "| 0 | 0 | 9.0 | (went on) |" in place.read_text()


def test_all_faults_are_repaired_although_one_repair_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    healed: list[Scene] = []

    def refuse(_: Scene) -> None:
        raise RuntimeError("read-only")

    monkeypatch.setattr(row_of_chaos, "GOES_ON", 0.0)
    faults = [Fault("one", lambda _: None, refuse), Fault("two", lambda _: None, healed.append)]
    row, scene = Row("one and two"), Scene("blue", "green", Mock(), Mock(), Mock())
    watch = Mock(**{"zero_after.return_value": None, "above_after.return_value": 0.0})
    row_of_chaos.endure(scene, faults, row, watch)
    assert healed == [scene]
    assert (row.problem, row.bad) == ("not healed: read-only", True)


def test_a_row_tells_how_long_the_candidate_carried_too_much() -> None:
    assert cells(replace(MEASURED, above=2.345))[5] == "kept, 2.3 above its share"
    assert cells(replace(MEASURED, above=0.1, to_zero=9.0))[5] == "9.0"


def seen(weight: int, state: str = "UP") -> Seen:
    return Seen(weight, state, *[0] * 8)


@pytest.mark.parametrize(
    ("down", "share", "above"),
    [
        ((), 0.2, False),
        (("blue-2",), 0.2, True),
        (("blue-2",), 0.4, False),  # two thirds are less than twice its share
        (("blue-1", "blue-2"), 0.2, False),  # no other server is up
        (("blue-2",), 0.0, False),  # no lease
    ],
)
def test_a_candidate_above_its_share_is_seen(
    down: tuple[str, ...],
    share: float,
    above: bool,  # noqa: FBT001 - a table
) -> None:
    weights = {"blue-1": 64, "blue-2": 256, "green-1": 64, "green-2": 64}
    servers = {n: seen(w, "DOWN" if n in down else "UP") for n, w in weights.items()}
    look = Look(0.0, servers, share)
    assert swollen("green", look.split, ring.points(SERVERS)) is above
    assert look.weight("green") == 128
    assert Look(0.0, {}, share).weight("green") is None


@pytest.fixture
def relay() -> Iterator[Relay]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps(VALUES).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    with Relay(f"http://127.0.0.1:{server.server_address[1]}") as made:
        yield made
    server.shutdown()
    server.server_close()


def ask(relay: Relay, target: str = TARGET) -> list[Any]:
    queries = [
        {"Id": identifier, "MetricStat": {"Metric": {"MetricName": name}, "Stat": "Average"}}
        for identifier, name in (("q0", "requests"), ("q1", LOST))
    ]
    body = json.dumps({"MetricDataQueries": queries}).encode()
    request = Request(relay.endpoint, body, {"X-Amz-Target": target, "Content-Type": JSON})  # noqa: S310
    with urlopen(request, timeout=10) as reply:  # noqa: S310
        found: list[Any] = json.load(reply)["MetricDataResults"]
        return found


def test_relay_passes_everything_on_at_first(relay: Relay) -> None:
    assert ask(relay) == VALUES["MetricDataResults"]
    assert relay.asked == 0


@pytest.mark.parametrize(
    ("mode", "word"),
    [("partial", "PartialData"), ("holes", "Complete"), ("lost", "Complete")],
)
def test_relay_leaves_values_out(relay: Relay, mode: str, word: str) -> None:
    relay.mode = mode
    first, second = ask(relay)
    assert (first["StatusCode"], first["Values"]) == (word, [3.0, 4.0])
    assert (second["StatusCode"], second["Values"]) == (word, [])
    assert relay.asked == 1


def test_relay_throttles_metrics_alone(relay: Relay) -> None:
    relay.mode = "throttled"
    with pytest.raises(HTTPError) as refused:
        ask(relay)
    assert json.load(refused.value)["__type"] == "ThrottlingException"
    assert ask(relay, "GraniteServiceVersion20100801.PutMetricData") == VALUES["MetricDataResults"]


def test_relay_can_be_away(relay: Relay) -> None:
    relay.mode = "away"
    with pytest.raises(OSError, match="closed connection"):
        ask(relay)
