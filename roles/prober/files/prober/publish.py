"""Send results to CloudWatch from a separate thread, so that AWS does not delay probes."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from prober.probe import Result

LOG = logging.getLogger("prober")
Datum = dict[str, Any]
KEPT = 5_000  # results kept while CloudWatch is unreachable; older ones are dropped
BATCH = 500  # CloudWatch takes 1000
PAUSE = 2.0
FINE_BELOW = 60  # seconds: a shorter period needs high resolution


def data_of(result: Result, environment: str, period: int) -> Iterator[Datum]:
    """Yield the metrics of one probe, as the catalogue names them."""
    whole = [{"Name": "Environment", "Value": environment}]
    single = [*whole, {"Name": "Url", "Value": result.name}]
    found: list[tuple[str, str, float | None, list[dict[str, str]]]] = [
        ("availability", "None", float(result.available), single),
        ("availability", "None", float(result.available), whole),
        ("probe_latency", "Seconds", result.latency, single),
        ("certificate_days", "None", result.certificate_days, single),
    ]
    for name, unit, value, dimensions in found:
        if value is not None:
            yield {
                "MetricName": name,
                "Unit": unit,
                "Value": value,
                "Timestamp": datetime.fromtimestamp(result.time, UTC),
                "Dimensions": dimensions,
                "StorageResolution": 1 if period < FINE_BELOW else 60,
            }


def datum_of_backup(age: float, environment: str) -> Datum:
    """Return the metric of the newest backup, as the catalogue names it."""
    return {
        "MetricName": "backup_age",
        "Unit": "Seconds",
        "Value": age,
        "Timestamp": datetime.now(UTC),
        "Dimensions": [{"Name": "Environment", "Value": environment}],
    }


class Outbox(threading.Thread):
    """Queues results without blocking, sends them in order, and retries a failed call once."""

    def __init__(self, client: Any, namespace: str, environment: str, period: int) -> None:
        super().__init__(name="outbox", daemon=True)
        self._client = client
        self._namespace = namespace
        self._environment = environment
        self._period = period
        self._waiting: deque[Datum] = deque(maxlen=KEPT)
        self._changed = threading.Condition()

    def put(self, result: Result) -> None:
        self._add(*data_of(result, self._environment, self._period))

    def put_backup(self, age: float) -> None:
        self._add(datum_of_backup(age, self._environment))

    def _add(self, *data: Datum) -> None:
        with self._changed:
            self._waiting.extend(data)
            self._changed.notify()

    def run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
            threading.Event().wait(0.2)  # collect results of the same time for one call
            with self._changed:
                count = min(BATCH, len(self._waiting))
                batch = [self._waiting.popleft() for _datum in range(count)]
            if not self._send(batch):
                with self._changed:
                    self._waiting.extendleft(reversed(batch))
                    self._changed.wait_for(lambda: False, PAUSE)

    def _send(self, batch: list[Datum]) -> bool:
        try:
            self._client.put_metric_data(Namespace=self._namespace, MetricData=batch)
        except Exception as error:  # no error may stop the probes
            LOG.warning("CloudWatch did not take %s data, which wait: %s", len(batch), error)
            return False
        return True


def client(service: str) -> Any:
    """Return a client of AWS, configured by environment variables."""
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 1})
    # Debian's boto3 does not know AWS_ENDPOINT_URL itself.
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or None
    return boto3.client(service, endpoint_url=endpoint, config=config)
