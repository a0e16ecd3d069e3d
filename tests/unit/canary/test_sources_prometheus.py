"""The Prometheus source against a server that answers as Prometheus' HTTP API is documented."""

from __future__ import annotations

import http.server
import json
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from canary.environment import PrometheusSource, parse_environment
from canary.errors import SourceError
from canary.model import Arm, Release
from canary.sources.base import Query
from canary.sources.prometheus import Prometheus
from tests.unit.canary.test_environment import GOOD

LATENCY = 'histogram_quantile(0.9, sum by (le, instance) (rate(l{c="{colour}"}[{period}])))'
COUNT = 'sum by (instance) (increase(l_count{c="{colour}"}[{period}]))'
ARMS = {Arm.BASELINE: Release("v1", "a", "blue", ("one",))}
QUERY = Query("latency", "latency", "p90")


class Server(http.server.ThreadingHTTPServer):
    """Keeps what it was asked, and answers what a test wants."""

    asked: list[dict[str, str]]
    answer: dict[str, Any]
    status: int
    pause: float


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        form = urllib.parse.parse_qs(self.rfile.read(size).decode())
        self.server.asked.append({key: values[0] for key, values in form.items()})
        time.sleep(self.server.pause)
        self.send_response(self.server.status)
        with suppress(ConnectionError):  # who asked may have given up
            self.end_headers()
            self.wfile.write(json.dumps(self.server.answer).encode())

    def log_message(self, *_arguments: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(("127.0.0.1", 0), Handler)
    running.asked, running.status, running.pause = [], 200, 0.0
    running.answer = matrix(({"instance": "one"}, [[65, "20.5"], [70, "NaN"]]))
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield running
    running.shutdown()
    running.server_close()


def matrix(*series: tuple[dict[str, str], list[list[object]]]) -> dict[str, Any]:
    result = [{"metric": labels, "values": values} for labels, values in series]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def source(server: Server, period: int = 5) -> Prometheus:
    settings = {
        "kind": "prometheus",
        "url": f"http://127.0.0.1:{server.server_address[1]}/",
        "queries": {"latency": {"value": LATENCY, "samples": COUNT}},
        "timeout": 5,
    }
    environment = parse_environment(GOOD | {"source": settings})
    assert isinstance(environment.source, PrometheusSource)
    return Prometheus(environment.source, environment, period)


def test_a_period_is_asked_for_at_its_end(server: Server) -> None:
    (series,) = source(server).read([QUERY], ARMS, 60, 75)
    assert server.asked[0]["query"] == LATENCY.replace("{colour}", "blue").replace("{period}", "5s")
    assert (server.asked[0]["start"], server.asked[0]["end"]) == ("65", "75")
    assert series.times == (60, 65, 70)
    assert series.values == (20.5, None, None), "NaN and silence are both missing"
    assert series.samples == (20.5, None, None)


def test_instances_are_those_that_answer(server: Server) -> None:
    server.answer = matrix(({"instance": "two"}, []), ({"instance": "one"}, []))
    assert source(server).instances("blue") == ("one", "two")


def test_a_series_without_its_instance_is_refused(server: Server) -> None:
    server.answer = matrix(({"pod": "one"}, [[65, "1"]]))
    with pytest.raises(SourceError, match="without the label 'instance'"):
        source(server).read([QUERY], ARMS, 60, 75)


def test_a_refusal_is_passed_on(server: Server) -> None:
    server.status, server.answer = 400, {"status": "error", "error": "parse error: unexpected }"}
    with pytest.raises(SourceError, match="parse error: unexpected }"):
        source(server).read([QUERY], ARMS, 60, 75)


def test_an_error_in_a_good_answer_is_passed_on(server: Server) -> None:
    server.answer = {"status": "error", "error": "query timed out"}
    with pytest.raises(SourceError, match="query timed out"):
        source(server).read([QUERY], ARMS, 60, 75)


def test_a_metric_without_a_query_is_named(server: Server) -> None:
    with pytest.raises(SourceError, match=r"no Prometheus query for metric 'cpu'.*latency"):
        source(server).read([Query("cpu", "cpu", "Average")], ARMS, 60, 75)


def test_a_server_that_is_gone_is_a_sentence() -> None:
    settings = {
        "kind": "prometheus",
        "url": "http://127.0.0.1:9",
        "queries": {"latency": {"value": LATENCY}},
    }
    environment = parse_environment(GOOD | {"source": settings})
    assert isinstance(environment.source, PrometheusSource)
    with pytest.raises(SourceError, match="did not answer"):
        Prometheus(environment.source, environment, 5).read([QUERY], ARMS, 60, 75)


def test_an_answer_is_not_waited_for_longer_than_a_period(server: Server) -> None:
    server.pause = 2.0  # the timeout is 5 s: a period of 5 s gets the answer, one of 1 s does not
    assert source(server, period=5).instances("blue")
    with pytest.raises(SourceError, match="did not answer"):
        source(server, period=1).instances("blue")


SCALAR = {"status": "success", "data": {"resultType": "scalar", "result": [65, "1"]}}
PARTIAL = {**matrix(({"instance": "one"}, [[65, "1"]])), "warnings": ["store-2: timed out"]}
TWICE = matrix(({"instance": "one"}, [[65, "1"]]), ({"instance": "one"}, [[65, "2"]]))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (SCALAR, "with scalar, not with a series for each instance"),
        (PARTIAL, "may be incomplete: store-2: timed out"),
        (TWICE, "several series for the instance 'one'.*sum by"),
        ([1, 2], "did not answer as Prometheus does"),
        ({"status": "success"}, "with no result"),
    ],
)
def test_only_a_complete_answer_of_the_expected_shape_is_used(
    server: Server, answer: Any, sentence: str
) -> None:
    server.answer = answer
    with pytest.raises(SourceError, match=sentence):
        source(server).read([QUERY], ARMS, 60, 70)


def test_a_password_in_the_address_is_never_printed() -> None:
    settings = {
        "kind": "prometheus",
        "url": "http://me:s3cret@127.0.0.1:9",
        "queries": {"latency": {"value": LATENCY}},
    }
    environment = parse_environment(GOOD | {"source": settings})
    assert isinstance(environment.source, PrometheusSource)
    asked = Prometheus(environment.source, environment, 5)
    with pytest.raises(SourceError, match=r"at http://127\.0\.0\.1:9/api") as caught:
        asked.read([QUERY], ARMS, 60, 70)
    assert "s3cret" not in f"{caught.value}{asked.describe()}"
