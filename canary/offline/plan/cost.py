"""What CloudWatch will cost in a month: prices as of 2026 in us-east-1, in dollars.

AWS changes prices and regions differ; the numbers say the order, and which part of it is large.
The free tier is left out, for an account shares it.
"""

from __future__ import annotations

from dataclasses import dataclass

from canary.policy import Policy

METRIC_MONTH = 0.30
"""Per custom metric and month, the first 10,000; each set of dimensions is one metric."""
PER_THOUSAND_PUTS = 0.01
PER_THOUSAND_READ = 0.01
ALARM_MONTH, FAST_ALARM_MONTH, DASHBOARD_MONTH = 0.10, 0.30, 3.00
MONTH = 30 * 86400


@dataclass(frozen=True, slots=True)
class Cost:
    """Dollars a month, by part."""

    metrics: float
    publishing: float
    reading: float
    alarms: float
    dashboards: float

    @property
    def total(self) -> float:
        """All parts."""
        return self.metrics + self.publishing + self.reading + self.alarms + self.dashboards

    @property
    def sentence(self) -> str:
        """Say what a month costs, and what most of it is for."""
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
    """Return what a month costs.

    ``published`` is how many metrics an instance publishes, one call a period; ``canaries`` how
    many run in a month, each reading all it compares at every period.
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
