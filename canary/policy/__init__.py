"""The policy: what is compared, how much harm is accepted, and at which error rates."""

from canary.policy.load import load_policy, parse_policy, policy_schema, with_lead_in
from canary.policy.metric import Harm, Kind, Metric
from canary.policy.proxy import COUNTERS, LATENCY, PROXY
from canary.policy.quantities import Drift, Margin
from canary.policy.schema import Missing, Policy, Slo, TrafficRule

__all__ = [
    "COUNTERS",
    "LATENCY",
    "PROXY",
    "Drift",
    "Harm",
    "Kind",
    "Margin",
    "Metric",
    "Missing",
    "Policy",
    "Slo",
    "TrafficRule",
    "load_policy",
    "parse_policy",
    "policy_schema",
    "with_lead_in",
]
