"""The planner: how long, how much traffic, to see which harm, and what it costs. Pure."""

from canary.planner.achieved import achieved
from canary.planner.backtest import Backtest, backtest, calibrate
from canary.planner.cost import Cost, monthly_cost
from canary.planner.outlook import MetricOutlook, Outlook, plan
from canary.planner.plot import draw
from canary.planner.traffic import Traffic, traffic_of

__all__ = [
    "Backtest",
    "Cost",
    "MetricOutlook",
    "Outlook",
    "Traffic",
    "achieved",
    "backtest",
    "calibrate",
    "draw",
    "monthly_cost",
    "plan",
    "traffic_of",
]
