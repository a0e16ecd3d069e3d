"""Plans: the harm that a canary finds with its traffic and time, and what it costs. Pure."""

from canary.offline.plan.achieved import achieved
from canary.offline.plan.cost import Cost, monthly_cost
from canary.offline.plan.drill import foreseen, time_to_refuse
from canary.offline.plan.lead_in import LeadInWorth, lead_in_worth
from canary.offline.plan.low_traffic import LOW_RATE, LowTraffic, low_traffic
from canary.offline.plan.outlook import MetricOutlook, Outlook, meets, plan
from canary.offline.plan.plot import draw
from canary.offline.plan.workload import Workload, describe, workload_of

__all__ = [
    "LOW_RATE",
    "Cost",
    "LeadInWorth",
    "LowTraffic",
    "MetricOutlook",
    "Outlook",
    "Workload",
    "achieved",
    "describe",
    "draw",
    "foreseen",
    "lead_in_worth",
    "low_traffic",
    "meets",
    "monthly_cost",
    "plan",
    "time_to_refuse",
    "workload_of",
]
