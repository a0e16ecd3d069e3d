"""The CloudWatch dashboard of releases: verdicts as marks, weights as a metric.

The role ``dashboards`` draws everything else and keeps the marks.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from canary.environment import Dashboard, Environment, client_options
from canary.errors import StateError
from canary.state.base import Row

IMPATIENT = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
NO_DASHBOARD = "ResourceNotFound"
COLOURS = {"PASS": "#2ca02c", "FAIL": "#d62728", "INCONCLUSIVE": "#ff7f0e"}
FINISHED, DURATION, SCORE = "canary_finished", "canary_duration", "canary_score"
"""Metrics of canaries that ended. The first one has a dimension more for each verdict."""
Json = dict[str, Any]


class CloudWatchBoard:
    """Sends weights from a thread: only the newest ones, without retries."""

    def __init__(self, settings: Dashboard, environment: Environment) -> None:
        self._settings = settings
        self._environment = environment
        self._mutex = threading.Lock()
        self._waiting: list[Json] = []
        self._sending = False
        self._trouble = ""

    @cached_property
    def _cloudwatch(self) -> Any:
        # A session of its own: making a client is safe beside another thread only then.
        options = client_options(self._environment)
        return boto3.session.Session().client("cloudwatch", **options, config=IMPATIENT)

    def count(self, verdict: str, seconds: float, score: float | None) -> None:
        """Add metrics of a canary that ended. They are sent like weights, and after them."""
        self._add(finished(self._environment.name, verdict, seconds, score, datetime.now(UTC)))

    def tell(self, shares: Mapping[str, float]) -> None:
        name = self._environment.name
        self._add(weights(self._settings.metric, name, shares, datetime.now(UTC)), newest=True)

    def _add(self, data: list[Json], *, newest: bool = False) -> None:
        """Let a thread send data; ``newest`` replaces what is not sent yet."""
        with self._mutex:
            self._waiting = data if newest else [*self._waiting, *data]
            if self._sending:
                return
            self._sending = True
        try:
            # No daemon: at the end of the program the last weights still have these few seconds.
            threading.Thread(target=self._send, name="canary-board").start()
        except RuntimeError as error:  # no thread can be started
            self._sending, self._trouble = False, str(error)

    def _send(self) -> None:
        while data := self._next():
            try:
                self._cloudwatch.put_metric_data(
                    Namespace=self._settings.namespace, MetricData=data
                )
                self._trouble = ""
            except Exception as error:  # a thread cannot raise it to anybody
                self._trouble = str(error)

    def _next(self) -> list[Json]:
        with self._mutex:
            data, self._waiting = self._waiting, []
            self._sending = bool(data)
            return data

    def mark(self, rows: Iterable[Row]) -> None:
        name = self._settings.name
        try:
            self._draw(name, marks(rows))
        except (BotoCoreError, ClientError) as error:
            raise StateError(f"The dashboard {name} could not be marked: {error}") from error
        if self._trouble:
            raise StateError(f"Weights could not be shown on {name}: {self._trouble}")

    def _draw(self, name: str, wanted: list[Json]) -> None:
        try:
            text = self._cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]
        except ClientError as error:
            if error.response["Error"]["Code"] == NO_DASHBOARD:
                return  # there is no dashboard to mark
            raise
        body = marked(json.loads(text), wanted)
        if body != json.loads(text):
            self._cloudwatch.put_dashboard(
                DashboardName=name, DashboardBody=json.dumps(body, sort_keys=True)
            )


def weights(
    metric: str, environment: str, shares: Mapping[str, float], moment: datetime
) -> list[Json]:
    """Return what PutMetricData takes: the share of each colour, in percent."""
    return [
        {
            "MetricName": metric,
            "Unit": "Percent",
            "Value": 100 * share,
            "Timestamp": moment,
            "Dimensions": [
                {"Name": "Environment", "Value": environment},
                {"Name": "Colour", "Value": colour},
            ],
            "StorageResolution": 1,
        }
        for colour, share in shares.items()
    ]


def finished(
    environment: str, verdict: str, seconds: float, score: float | None, moment: datetime
) -> list[Json]:
    """Return what PutMetricData takes: how a canary ended, how long it took, and its score."""
    where = [{"Name": "Environment", "Value": environment}]
    ended = {"MetricName": FINISHED, "Unit": "Count", "Value": 1.0}
    found: list[Json] = [
        {**ended, "Dimensions": where},
        {**ended, "Dimensions": [*where, {"Name": "Verdict", "Value": verdict}]},
        {"MetricName": DURATION, "Unit": "Seconds", "Value": seconds, "Dimensions": where},
    ]
    if score is not None:
        found.append({"MetricName": SCORE, "Unit": "None", "Value": score, "Dimensions": where})
    return [{**each, "Timestamp": moment} for each in found]


def marks(rows: Iterable[Row]) -> list[Json]:
    """Return a vertical line for each verdict, oldest first."""
    return [
        {
            "color": COLOURS[row.verdict],
            "label": f"{row.verdict} {row.candidate.partition(' ')[0]}",
            "value": datetime.fromtimestamp(row.ended, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for row in sorted(rows, key=lambda row: row.ended)
        if row.verdict in COLOURS
    ]


def marked(body: Json, wanted: list[Json]) -> Json:
    """Return a dashboard's body with these marks on every graph, and no others."""
    return {**body, "widgets": [_marked(widget, wanted) for widget in body["widgets"]]}


def _marked(widget: Json, wanted: list[Json]) -> Json:
    shown = widget["properties"]
    if widget["type"] != "metric" or shown.get("view", "timeSeries") != "timeSeries":
        return widget
    annotations = {**shown.get("annotations", {}), "vertical": wanted}
    return {**widget, "properties": {**shown, "annotations": annotations}}
