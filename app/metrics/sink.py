"""Sends metrics to CloudWatch from a thread, with a bounded buffer.

If CloudWatch is slow, throttles or does not respond, the oldest periods are dropped.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from app.metrics.batch import Datum, calls
from app.settings import Settings

log = logging.getLogger("shop.metrics")

BUFFERED_PERIODS = 60
Batch = tuple[list[Datum], Callable[[], None] | None]
"""Data, and the function to call once CloudWatch has accepted them."""


class Client(Protocol):
    """The part of boto3's CloudWatch client that the sink uses."""

    def put_metric_data(self, *, Namespace: str, MetricData: list[Datum]) -> object: ...  # noqa: N803


class Sink:
    """Accepts batches without blocking, sends them in order, and retries failed ones."""

    def __init__(self, client: Client, namespace: str, retry_seconds: float = 2.0) -> None:
        self._client = client
        self._namespace = namespace
        self._retry_seconds = retry_seconds
        self._waiting: deque[Batch] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, data: list[Datum], sent: Callable[[], None] | None = None) -> None:
        """Queue the data of one period; never blocks, never fails.

        ``sent`` is called when CloudWatch has accepted these data and all earlier ones.
        """
        with self._changed:
            batches = calls(data)
            self._waiting += [(batch, None) for batch in batches[:-1]]
            self._waiting += [(batch, sent) for batch in batches[-1:]]
            while len(self._waiting) > BUFFERED_PERIODS:
                self._waiting.popleft()
                self.dropped += 1
            self._changed.notify_all()

    def close(self, timeout: float) -> None:
        """Send the rest, for at most ``timeout`` seconds."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout)

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            if not self._send(batch):
                with self._changed:
                    if self._closing:
                        return
                    self._waiting.appendleft(batch)
                    self._changed.wait(self._retry_seconds)

    def _next(self) -> Batch | None:
        with self._changed:
            while not self._waiting:
                if self._closing:
                    return None
                self._changed.wait()
            return self._waiting.popleft()

    def _send(self, batch: Batch) -> bool:
        data, sent = batch
        try:
            self._client.put_metric_data(Namespace=self._namespace, MetricData=data)
        except Exception as error:  # any error: metrics must not stop the shop
            log.warning("CloudWatch did not accept a batch (%s dropped): %s", self.dropped, error)
            return False
        if sent:
            sent()
        return True


def cloudwatch(settings: Settings) -> Sink:
    """Return a sink to the CloudWatch of the environment."""
    import boto3
    from botocore.config import Config

    # Long timeouts and no retries in boto3: if CloudWatch accepts a batch but its response is too
    # late, a retry would count the batch twice.
    config = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1})
    return Sink(boto3.client("cloudwatch", config=config), settings.metrics_namespace)
