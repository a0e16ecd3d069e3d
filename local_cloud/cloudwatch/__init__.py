"""CloudWatch: metrics, metric math, dashboards and alarms as AWS documents them.

moto provides the wire protocols and the other services. moto's own CloudWatch has no percentiles
and no metric math, and does not evaluate alarms. ``install()`` replaces it::

    cloudwatch = install()              # before the server's first request
    cloudwatch.restore(state / "cloudwatch")
    cloudwatch.start()                  # alarms are evaluated from now on
    ...
    cloudwatch.stop()
    cloudwatch.snapshot(state / "cloudwatch")
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from threading import Event, Thread

from local_cloud.cloudwatch import snapshot, wire
from local_cloud.cloudwatch.service import CloudWatch
from local_cloud.cloudwatch.store import Clock

LOG = logging.getLogger(__name__)
TICK = 1.0  # seconds between two checks for alarms that are due


class LocalCloudWatch:
    """CloudWatch of all accounts and regions in this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stopping = Event()
        self._thread: Thread | None = None

    def make(self, account: str, region: str) -> CloudWatch:
        """Create CloudWatch for an account and region. Regions of an account share dashboards."""
        shared = next((each.dashboards for each in wire.clouds() if each.account == account), None)
        publish = wire.publisher(account, region)
        return CloudWatch(account, region, clock=self._clock, publish=publish, dashboards=shared)

    def start(self) -> None:
        """Evaluate alarms every second in a thread until ``stop``."""
        self._stopping.clear()
        self._thread = Thread(target=self._run, name="cloudwatch-alarms", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stopping.wait(TICK):
            self.tick()

    def tick(self) -> None:
        """Evaluate the alarms that are due. An error in one region must not stop the others."""
        for cloud in wire.clouds():
            try:
                cloud.tick()
            except Exception:
                LOG.exception(
                    "alarms of %s in %s could not be evaluated", cloud.account, cloud.region
                )

    def snapshot(self, path: Path) -> None:
        """Write everything to a file and replace the old file atomically."""
        snapshot.write(wire.clouds(), path)

    def restore(self, path: Path) -> None:
        """Load what ``snapshot`` wrote.

        Raises:
            SnapshotError: the file is not a snapshot. Nothing was changed.
        """
        snapshot.read(path, lambda account, region: wire.cloud(account, region, self.make))


def install(clock: Clock = time.time) -> LocalCloudWatch:
    """Serve all CloudWatch calls to moto in this process from now on."""
    installed = LocalCloudWatch(clock)
    wire.route(installed.make)
    return installed
