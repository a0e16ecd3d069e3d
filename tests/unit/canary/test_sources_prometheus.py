"""The Prometheus source with a server that follows Prometheus' documented HTTP API."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from canary.environment import PrometheusSource, parse_environment
from canary.errors import SourceError
from canary.sources.base import Query
from canary.sources.prometheus import Prometheus
from tests.unit.canary.prometheus_server import (
    ARMS,
    LATENCY,
    QUERY,
    Server,
    matrix,
    server,
    source,
)
from tests.unit.canary.test_environment import GOOD

__all__ = ["server"]


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
    with pytest.raises(SourceError, match=r"did not respond: \[Errno \d+\] Connection refused$"):
        Prometheus(environment.source, environment, 5).read([QUERY], ARMS, 60, 75)


def test_an_answer_is_not_waited_for_longer_than_a_period(server: Server) -> None:
    server.pause = 2.0  # the timeout is 5 s: a period of 5 s gets the answer, one of 1 s does not
    assert source(server, period=5).instances("blue")
    with pytest.raises(SourceError, match="did not respond"):
        source(server, period=1).instances("blue")


SCALAR = {"status": "success", "data": {"resultType": "scalar", "result": [65, "1"]}}
PARTIAL = {**matrix(({"instance": "one"}, [[65, "1"]])), "warnings": ["store-2: timed out"]}
LISTED = {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": []}]}}
NATIVE = {
    "status": "success",
    "data": {
        "resultType": "matrix",
        "result": [{"metric": {"instance": "one"}, "histograms": [[65, {"count": "1"}]]}],
    },
}
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
        (NATIVE, "with histograms; select one number"),
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


def test_a_torn_answer_is_a_sentence(server: Server) -> None:
    server.torn = True
    with pytest.raises(SourceError, match="ended in the middle of its answer"):
        source(server).instances("blue")


def test_a_compressed_answer_is_not_unpacked(server: Server) -> None:
    """Requests ask for no compression, because a few kilobytes may expand to gigabytes."""
    server.raw = gzip.compress(json.dumps(server.answer).encode())
    with pytest.raises(SourceError, match="did not return JSON"):
        source(server).instances("blue")


def test_an_answer_without_end_is_a_sentence(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("canary.sources.prometheus_api.RESPONSE", 1)
    server.raw = bytes(1_000_001)
    with pytest.raises(SourceError, match=r"is not used: it is larger than 1 MB\. Select fewer"):
        source(server).instances("blue")


@pytest.mark.parametrize("raw", [b"[" * 100_000, b"9" * 5_000])
def test_an_answer_that_json_cannot_hold_is_a_sentence(server: Server, raw: bytes) -> None:
    server.raw = raw
    with pytest.raises(SourceError, match="did not return JSON"):
        source(server).instances("blue")


def test_several_series_of_a_count_are_added(server: Server) -> None:
    """There is one series for each status code, and the last one must not replace the others."""
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
    """One instance was terminated, so a query at the end of the window does not return it."""
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
