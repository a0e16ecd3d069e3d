"""The policy: what is compared, how much harm is accepted, and how sure a verdict has to be."""

from canary.policy.load import load_policy, parse_policy, policy_schema, policy_schema_text
from canary.policy.quantities import Drift, Margin
from canary.policy.schema import PROXY, Harm, Kind, Metric, Missing, Policy, Slo, TrafficRule

__all__ = [
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
    "policy_schema_text",
]
