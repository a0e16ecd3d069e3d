"""The Prometheus source against a server that answers as Prometheus' HTTP API is documented."""

from __future__ import annotations

import http.server
import json
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

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
    headers: list[dict[str, str]]
    paths: list[str]
    bodies: list[bytes]
    answer: dict[str, Any]
    status: int
    pause: float


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        body = self.rfile.read(size)
        form = urllib.parse.parse_qs(body.decode())
        self.server.headers.append(dict(self.headers.items()))
        self.server.paths.append(self.path)
        self.server.bodies.append(body)
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
    running.headers, running.paths, running.bodies = [], [], []
    running.answer = matrix(({"instance": "one"}, [[65, "20.5"], [70, "NaN"]]))
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield running
    running.shutdown()
    running.server_close()


def matrix(*series: tuple[dict[str, str], list[list[object]]]) -> dict[str, Any]:
    result = [{"metric": labels, "values": values} for labels, values in series]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def source(server: Server, period: int = 5, user: str = "", **more: Any) -> Prometheus:
    settings = {
        "kind": "prometheus",
        "url": f"http://{user}127.0.0.1:{server.server_address[1]}/",
        "queries": {"latency": {"value": LATENCY, "samples": COUNT}},
        "timeout": 5,
        **more,
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
    with pytest.raises(SourceError, match="did not respond"):
        Prometheus(environment.source, environment, 5).read([QUERY], ARMS, 60, 75)


def test_an_answer_is_not_waited_for_longer_than_a_period(server: Server) -> None:
    server.pause = 2.0  # the timeout is 5 s: a period of 5 s gets the answer, one of 1 s does not
    assert source(server, period=5).instances("blue")
    with pytest.raises(SourceError, match="did not respond"):
        source(server, period=1).instances("blue")


SCALAR = {"status": "success", "data": {"resultType": "scalar", "result": [65, "1"]}}
PARTIAL = {**matrix(({"instance": "one"}, [[65, "1"]])), "warnings": ["store-2: timed out"]}
LISTED = {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": []}]}}
TWICE = matrix(({"instance": "one"}, [[65, "1"]]), ({"instance": "one"}, [[65, "2"]]))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (SCALAR, "with scalar, not with a series for each instance"),
        (PARTIAL, "may be incomplete: store-2: timed out"),
        (TWICE, "several series for the instance 'one'.*sum by"),
        ([1, 2], "did not respond like Prometheus"),
        ({"status": "success"}, "with no result"),
        ({"status": "success", "data": [1]}, "with no result"),
        ({"status": "success", "data": {"resultType": "matrix"}}, "without a list of series"),
        ("<html>", "did not respond like Prometheus"),
        (None, "did not respond like Prometheus"),
        (matrix(({"instance": "one"}, [[65]])), "a series of an unknown shape"),
        (matrix(({"instance": "one"}, [[65, "fast"]])), "a series of an unknown shape"),
        (matrix(({"instance": "one"}, [["1e999", "1"]])), "a series of an unknown shape"),
        (LISTED, "a series of an unknown shape"),
        ({"status": "success", "data": {"resultType": "matrix", "result": [7]}}, "unknown shape"),
        ({"status": "error"}, "Prometheus refused"),
    ],
)
def test_only_a_complete_answer_of_the_expected_shape_is_used(
    server: Server, answer: Any, sentence: str
) -> None:
    server.answer = answer
    with pytest.raises(SourceError, match=sentence):
        source(server).read([QUERY], ARMS, 60, 70)


def test_several_series_of_a_count_are_added(server: Server) -> None:
    """One series for each status code; the last one must not win."""
    errors = Query("latency", "errors", "Sum", samples="requests")
    server.answer = TWICE
    (series,) = source(server).read([errors], ARMS, 60, 65)
    assert (series.values, series.samples) == ((3.0,), (3.0,))


def test_an_infinite_value_is_missing_and_noted(server: Server) -> None:
    server.answer = matrix(({"instance": "one"}, [[65, "+Inf"], [70, "3"], [75, "NaN"]]))
    (series,) = source(server).read([QUERY], ARMS, 60, 75)
    assert series.values == (None, 3.0, None)
    assert series.infinite == (60,)


def test_the_instances_of_a_window_are_those_with_values_in_it(server: Server) -> None:
    """One was terminated since: the query at the end of the window does not return it."""
    server.answer = matrix(({"instance": "ended"}, [[65, "1"]]))
    assert source(server).instances("blue", (60, 75)) == ("ended",)
    assert server.asked[0]["time"] == "75"
    assert (server.asked[1]["start"], server.asked[1]["end"]) == ("65", "75")


def test_a_scalar_is_refused_when_instances_are_listed(server: Server) -> None:
    server.answer = SCALAR
    with pytest.raises(SourceError, match="with scalar"):
        source(server).instances("blue", (60, 75))


def test_a_long_window_is_asked_for_in_parts(server: Server) -> None:
    source(server).read([QUERY], ARMS, 0, 5 * 10_001)
    spans = [(int(one["start"]), int(one["end"])) for one in server.asked]
    assert spans == [(5, 50_000), (50_005, 50_005)] * 2


def test_user_and_password_of_the_address_are_sent_as_a_header(server: Server) -> None:
    asked = source(server, user="me:p%40ss@")
    asked.read([QUERY], ARMS, 60, 70)
    assert server.headers[0]["Authorization"] == "Basic bWU6cEBzcw=="  # me:p@ss
    server.status, server.answer = 401, {"message": "Unauthorized"}
    with pytest.raises(SourceError, match=r"status 401.*Unauthorized") as caught:
        asked.read([QUERY], ARMS, 60, 70)
    assert "p%40ss" not in f"{caught.value}{asked.describe()}"


def test_a_request_to_aws_is_signed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signature is computed again from what arrived, as AWS does."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    source(server, sigv4={"region": "eu-west-1"}).read([QUERY], ARMS, 60, 70)
    assert len(server.headers) == 2
    for headers, path, body in zip(server.headers, server.paths, server.bodies, strict=True):
        assert headers["X-Amz-Security-Token"] == "token"
        assert "/eu-west-1/aps/aws4_request" in headers["Authorization"]
        assert headers["Authorization"].endswith(signature(headers, path, body, "wJalrXUtnFEMI"))
        assert not headers["Authorization"].endswith(signature(headers, path, body, "another"))


def signature(headers: dict[str, str], path: str, body: bytes, secret: str) -> str:
    """Sign what a server received, with the headers that it says are signed."""
    signed = headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    kept = {name: value for name, value in headers.items() if name.lower() in signed}
    request = AWSRequest("POST", f"http://{headers['Host']}{path}", kept, body)
    request.context["timestamp"] = headers["X-Amz-Date"]
    auth = SigV4Auth(Credentials("AKIDEXAMPLE", secret, "token"), "aps", "eu-west-1")
    canonical = auth.canonical_request(request)
    return str(auth.signature(auth.string_to_sign(request, canonical), request))


def test_a_request_without_credentials_is_a_sentence(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(SourceError, match="no AWS credentials were found; set"):
        source(server, sigv4={"region": "eu-west-1"}).read([QUERY], ARMS, 60, 70)
    assert server.asked == []


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
