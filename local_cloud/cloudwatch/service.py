"""CloudWatch of one account and region: metrics, alarms and dashboards with one clock."""

from __future__ import annotations

from local_cloud.cloudwatch import periods
from local_cloud.cloudwatch.alarms import watch
from local_cloud.cloudwatch.alarms.book import AlarmBook, Publish
from local_cloud.cloudwatch.dashboards import Dashboards
from local_cloud.cloudwatch.store import Clock, MetricStore

TIDY_EVERY = periods.HOUR / 60


class CloudWatch:
    def __init__(
        self,
        account: str,
        region: str,
        *,
        clock: Clock,
        publish: Publish,
        dashboards: Dashboards | None = None,
    ) -> None:
        self.account = account
        self.region = region
        self.clock = clock
        self.metrics = MetricStore(clock)
        self.alarms = AlarmBook(account, region, clock, publish)
        self.dashboards = dashboards or Dashboards(account, clock)
        self._tidied = clock()

    def tick(self) -> None:
        """Evaluate the alarms that are due. Once a minute, remove old data."""
        now = self.clock()
        watch.evaluate_all(self.metrics, self.alarms, now)
        if now - self._tidied >= TIDY_EVERY:
            self._tidied = now
            self.metrics.roll_up()
            self.alarms.history.forget(now)
