"""CloudWatch of the local cloud: metrics, metric math, dashboards and alarms as AWS documents them.

moto carries the wire protocols and the other services; its own CloudWatch has no percentiles, no
metric math and no evaluated alarms. ``install()`` puts this one in its place.
"""

from __future__ import annotations

import time

from local_cloud.cloudwatch import wire
from local_cloud.cloudwatch.service import CloudWatch
from local_cloud.cloudwatch.store import Clock


def install(clock: Clock = time.time) -> None:
    """Answer moto's CloudWatch calls in this process. Call it before the server's first request."""
    wire.route(lambda account, region: CloudWatch(account, region, clock))
