"""The monthly cost of CloudWatch in dollars, at the prices of 2026 in us-east-1.

Prices change, and regions differ. The numbers show the order of magnitude, and the largest part.
The free tier is left out, because it is shared by the account.
"""

from __future__ import annotations

from dataclasses import dataclass

from canary.policy import Policy

METRIC_MONTH = 0.30
"""Price of each of the first 10,000 custom metrics; each set of dimensions is one metric."""
PER_THOUSAND_PUTS = 0.01
PER_THOUSAND_READ = 0.01
ALARM_MONTH, FAST_ALARM_MONTH, DASHBOARD_MONTH = 0.10, 0.30, 3.00
MONTH = 30 * 86400


@dataclass(frozen=True, slots=True)
class Cost:
    """Dollars per month, by part."""

    metrics: float
    publishing: float
    reading: float
    alarms: float
    dashboards: float

    @property
    def total(self) -> float:
        """The sum of all parts."""
        return self.metrics + self.publishing + self.reading + self.alarms + self.dashboards

    @property
    def sentence(self) -> str:
        """The cost of a month, and its largest part."""
        parts = {
            "metrics": self.metrics,
            "publishing": self.publishing,
            "reading": self.reading,
            "alarms": self.alarms,
            "dashboards": self.dashboards,
        }
        most = max(parts, key=lambda name: parts[name])
        return (
            f"CloudWatch costs about ${self.total:,.2f} a month, "
            f"of which ${parts[most]:,.2f} for {most}"
        )


def monthly_cost(
    policy: Policy,
    *,
    instances: int,
    published: int,
    canaries: int = 60,
    alarms: int = 0,
    fast_alarms: int = 0,
    dashboards: int = 0,
) -> Cost:
    """Return the cost of a month.

    ``published`` is the number of metrics that an instance publishes, in one call per period;
    ``canaries`` is their number per month. Each reads all its metrics in every period.
    """
    sources = len({metric.source_name for metric in policy.metrics} | {"requests"})
    looks = policy.maximum / policy.period
    return Cost(
        metrics=METRIC_MONTH * instances * published,
        publishing=PER_THOUSAND_PUTS * instances * MONTH / policy.period / 1000,
        reading=PER_THOUSAND_READ * canaries * looks * sources * instances / 1000,
        alarms=ALARM_MONTH * alarms + FAST_ALARM_MONTH * fast_alarms,
        dashboards=DASHBOARD_MONTH * dashboards,
    )
