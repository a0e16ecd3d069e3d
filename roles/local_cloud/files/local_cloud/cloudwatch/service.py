"""CloudWatch of one account and region: what it knows, and its clock."""

from __future__ import annotations

import time

from local_cloud.cloudwatch.store import Clock, MetricStore


class CloudWatch:
    def __init__(self, account: str, region: str, clock: Clock = time.time) -> None:
        self.account = account
        self.region = region
        self.clock = clock
        self.metrics = MetricStore(clock)
