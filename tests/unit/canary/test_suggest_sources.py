"""``canary suggest`` reads Prometheus and CloudWatch, also metrics that no policy names."""

from __future__ import annotations

import datetime
import http.server
import json
import threading
import urllib.parse
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from canary.cli import past
from canary.environment import CloudWatchSource, parse_environment
from canary.policy import load_policy
from canary.sources.cloudwatch import CloudWatch
from canary.sources.csv import Csv
from canary.sources.proxy import ProxyCounters
from tests.unit.canary.cli_shell import POLICY, Shell, shell
from tests.unit.canary.rollout_world import World
from tests.unit.canary.test_environment import GOOD

canary = pytest.fixture(shell, name="canary")
START, PERIOD, LENGTH = 1_699_999_980, 60, 44
WHEN = ("--start", str(START), "--end", str(START + PERIOD * LENGTH * 4), "--colour", "blue")
SUGGEST = ("suggest", "--env", "test", "--within", f"{LENGTH}m", *WHEN)
HOSTS = ("i-1", "i-2")
REQUESTS = 3000.0


def value(what: str, host: str, time: int) -> float:
    """Return the value of one metric of one host in one period, the same at each call."""
    chance = np.random.default_rng([zlib.crc32(f"{what} {host}".encode()), time])
    match what:
        case "requests":
            return REQUESTS
        case "errors":
            return float(chance.binomial(int(REQUESTS), 0.01))
        case "cpu":
            return float(40 * np.exp(chance.normal(0, 0.03)))
        case _:
            return float(0.3 * np.exp(chance.normal(0, 0.02)))


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers a range query like Prometheus, with a series for each host."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {key: values[0] for key, values in urllib.parse.parse_qs(body).items()}
        what = form["query"].split("(")[-1].split("{")[0]
        points: dict[str, list[list[Any]]] = {host: [] for host in HOSTS}
        first, last, step = (int(form.get(key, 0)) for key in ("start", "end", "step"))
        for at in range(first, last + 1, step or 1) if step else ():
            for host in HOSTS:
                points[host].append([at, str(value(what, host, at - step))])
        kind, key = ("matrix", "values") if step else ("vector", "value")
        answered: dict[str, Any] = points if step else {host: [0, "1"] for host in HOSTS}
        result = [{"metric": {"instance": host}, key: answered[host]} for host in HOSTS]
        answer = json.dumps({"status": "success", "data": {"resultType": kind, "result": result}})
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


@pytest.fixture
def prometheus() -> Iterator[str]:
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


class Metrics:
    """CloudWatch with the metrics of two instances."""

    def get_paginator(self, _operation: str) -> Metrics:
        return self

    def paginate(self, **call: Any) -> Iterator[dict[str, Any]]:
        fixed = [one for one in call["Dimensions"] if "Value" in one]
        found = [
            {"MetricName": name, "Dimensions": [*fixed, {"Name": "Instance", "Value": host}]}
            for name in ("latency", "errors", "requests", "cpu")
            for host in HOSTS
        ]
        yield {"Metrics": found}

    def get_metric_data(self, **call: Any) -> dict[str, Any]:
        first, last = (int(call[key].timestamp()) for key in ("StartTime", "EndTime"))
        times = range(first, last, PERIOD)
        return {"MetricDataResults": [self.result(q, times) for q in call["MetricDataQueries"]]}

    def result(self, query: dict[str, Any], times: range) -> dict[str, Any]:
        stat = query["MetricStat"]
        name, host = stat["Metric"]["MetricName"], stat["Metric"]["Dimensions"][-1]["Value"]
        counted = stat["Stat"] == "SampleCount"
        values = [REQUESTS if counted else value(name, host, time) for time in times]
        moments = [datetime.datetime.fromtimestamp(time, datetime.UTC) for time in times]
        done = {"Timestamps": moments, "Values": values, "StatusCode": "Complete"}
        return {"Id": query["Id"], "Label": name, **done}


class Compute:
    """EC2 with both instances."""

    def get_paginator(self, _operation: str) -> Compute:
        return self

    def paginate(self, **_call: Any) -> Iterator[dict[str, Any]]:
        yield {"Reservations": [{"Instances": [{"InstanceId": host} for host in HOSTS]}]}


def proposed(canary: Shell, source: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the metrics proposed for a policy that has only a latency."""
    environment = {**GOOD, "name": "test", "source": source}
    latency = {"name": "latency", "kind": "latency", "unit": "s"}
    document = {**POLICY, "period": "1m", "warmup": "1m", "minimum": "5m", "maximum": "30m"}
    document |= {"metrics": [latency], "environment": environment}
    canary.policy.write_text(yaml.safe_dump(document))
    status, _, err = canary(*SUGGEST)
    assert status == 0, err
    policy = load_policy(Path(".run/test/suggested.yml"))
    assert policy.environment == environment
    return {one.name: one.model_dump(mode="json", exclude_unset=True) for one in policy.metrics}


def test_prometheus_is_asked_for_every_query_of_the_policy(
    canary: Shell, prometheus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "state_of", lambda _: World().state)
    count = 'sum by (instance) (increase(requests{c="{colour}"}[{period}]))'
    queries = {
        name: {"value": count.replace("requests", name), "samples": count}
        for name in ("latency", "errors")
    }
    queries["cpu"] = {"value": count.replace("requests", "cpu")}
    found = proposed(canary, {"kind": "prometheus", "url": prometheus, "queries": queries})
    assert {name: one["kind"] for name, one in found.items()} == {
        "latency": "latency",
        "errors": "count",
        "cpu": "gauge",
    }
    assert found["latency"]["unit"] == "s"


def test_cloudwatch_is_asked_for_every_metric_that_the_instances_published(
    canary: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = parse_environment(GOOD)
    assert isinstance(environment.source, CloudWatchSource)
    source = CloudWatch(
        environment.source, environment, PERIOD, metrics=Metrics(), compute=Compute()
    )
    monkeypatch.setattr(past, "past_of", lambda *_: source)
    monkeypatch.setattr(past, "state_of", lambda _: World().state)
    found = proposed(canary, GOOD["source"])
    assert {name: one["kind"] for name, one in found.items()} == {
        "latency": "latency",
        "errors": "count",
        "cpu": "gauge",
    }, "requests are the samples of errors"
    assert "per" not in found["errors"]


def test_every_source_knows_the_names_of_its_metrics(tmp_path: Path) -> None:
    """The names are of one colour, because the baseline may lack a metric of the candidate."""
    rows = [f"{START},baseline,a,errors,1", f"{START},candidate,b,new,1"]
    (tmp_path / "history.csv").write_text("\n".join(["time,arm,instance,metric,value", *rows, ""]))
    assert Csv(tmp_path / "history.csv", 60).names("baseline") == ("errors",)
    assert ProxyCounters(lambda _: ("blue-1",)).names("blue") == ()
