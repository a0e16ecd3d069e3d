"""Conversion of a Kayenta canary configuration to a policy.

Kayenta configures queries; a policy names metrics and states the kind of each. The kind is guessed
from the name, and a note says so. Other notes list what a policy has no counterpart for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from canary.errors import PolicyError
from canary.policy import Policy, parse_policy
from canary.reading import read_json

KINDS = (
    (r"error|5xx|4xx|fail|exception|restart|timeout|reject", "count"),
    (r"p\d\d|percentile|latency|duration|response.?time|elapsed", "latency"),
    (r"memory|heap|rss|swap|disk.?used|file.?desc", "level"),
    (r"requests?\b|throughput|rps|qps|traffic|hits", "throughput"),
)
QUANTILE = re.compile(r"p(\d\d(?:\.\d+)?)", re.IGNORECASE)
SHOWN = 60


@dataclass(frozen=True, slots=True)
class Converted:
    """A valid policy, its YAML, and notes about what was assumed or left out."""

    policy: Policy
    text: str
    notes: tuple[str, ...]


def convert(text: str, name: str = "canary-config.json") -> Converted:
    """Convert the text of a canary configuration.

    Raises:
        PolicyError: the text is not JSON, or not a canary configuration.
    """
    config = _config(text, name)
    weights = _group_weights(config)
    notes: list[str] = []
    metrics = [_metric(entry, weights, config["metrics"], notes) for entry in config["metrics"]]
    notes += _left_out(config)
    document = {"version": 1, "metrics": metrics}
    policy_text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    return Converted(parse_policy(policy_text, name), policy_text, tuple(notes))


def _config(text: str, name: str) -> Mapping[str, Any]:
    try:
        config = read_json(text)
    except ValueError as error:
        raise PolicyError(f"{name} is not JSON: {error}.") from error
    metrics = config.get("metrics") if isinstance(config, dict) else None
    if not isinstance(metrics, list) or not metrics:
        raise PolicyError(
            f"{name} has no list of metrics, so it is not a Kayenta canary configuration."
        )
    for index, entry in enumerate(metrics, 1):
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise PolicyError(f"{name}: metric {index} has no name.")
    return dict(config)


def _group_weights(config: Mapping[str, Any]) -> dict[str, float]:
    """Each group's weight. Groups without a weight share what is left of 100."""
    weights = _keys(_keys(config, "classifier"), "groupWeights")
    given = {group: _number(weights, group, 0.0) for group in weights}
    names = {group for entry in config["metrics"] for group in _groups(entry)}
    free = sorted(names - set(given))
    rest = max(100 - sum(given.values()), 0)
    return given | {group: rest / len(free) for group in free}


def _groups(entry: Mapping[str, Any]) -> Sequence[str]:
    return [str(group) for group in entry.get("groups") or ["default"]]


def _metric(
    entry: Mapping[str, Any],
    weights: Mapping[str, float],
    metrics: Sequence[Mapping[str, Any]],
    notes: list[str],
) -> dict[str, Any]:
    name, group = entry["name"], _groups(entry)[0]
    rules = _keys(_keys(entry, "analysisConfigurations"), "canary")
    kind = _kind(name)
    result = {"name": name, "kind": kind, **_statistic(name, kind), "source": _source(entry)}
    result |= {"critical": bool(rules.get("critical", False)), "group": group}
    result |= {"weight": _weight(group, weights, metrics), "muted": bool(rules.get("muted", False))}
    result |= _harm(name, rules.get("direction", "either"), notes)
    result |= _margin(name, rules, str(result["harm"]), notes)
    notes.append(f"{name}: kind {result['kind']} was guessed from the name. Check it.")
    notes += _metric_notes(entry, rules)
    return {key: value for key, value in result.items() if value not in ("", None)}


def _kind(name: str) -> str:
    return next((kind for words, kind in KINDS if re.search(words, name, re.IGNORECASE)), "gauge")


def _statistic(name: str, kind: str) -> dict[str, str]:
    found = QUANTILE.search(name)
    if kind != "latency" or not found:
        return {}
    return {"kind": "quantile", "statistic": f"p{found[1]}"}


def _source(entry: Mapping[str, Any]) -> str:
    """The name in the metrics store, where the query is only a name."""
    query = entry.get("query")
    name = query.get("metricName") if isinstance(query, dict) else None
    return name if isinstance(name, str) and name != entry["name"] else ""


def _weight(
    group: str, weights: Mapping[str, float], metrics: Sequence[Mapping[str, Any]]
) -> float:
    """The metric's share of its group's weight, never zero."""
    members = sum(_groups(entry)[0] == group for entry in metrics)
    return max(round(weights.get(group, 0) / members, 6), 0.001)


def _harm(name: str, direction: object, notes: list[str]) -> dict[str, str]:
    if direction in ("increase", "decrease", "either"):
        return {"harm": str(direction)}
    notes.append(f"{name}: direction {direction!r} is unknown; either direction counts as harm.")
    return {"harm": "either"}


def _margin(name: str, rules: Mapping[str, Any], harm: str, notes: list[str]) -> dict[str, str]:
    """The margin, from the allowed effect size; Kayenta's default of 1.0 allows nothing."""
    gates = _keys(rules, "effectSize")
    if gates.get("measure", "meanRatio") != "meanRatio":
        notes.append(f"{name}: effect size {gates['measure']} has no counterpart and was left out.")
        return {}
    increase = _number(gates, "allowedIncrease", 1.0) - 1
    decrease = 1 - _number(gates, "allowedDecrease", 1.0)
    allowed = decrease if harm == "decrease" else increase
    return {"margin": f"{100 * allowed:.12g}%"} if allowed > 0 else {}


def _keys(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object under ``key``, empty if there is none."""
    value = parent.get(key) or {}
    if not isinstance(value, dict):
        raise PolicyError(f"{key} is {value!r}; in a Kayenta configuration it is an object.")
    return value


def _number(parent: Mapping[str, Any], key: str, default: float) -> float:
    value = parent.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PolicyError(f"{key} is {value!r}; in a Kayenta configuration it is a number.")
    return float(value)


def _metric_notes(entry: Mapping[str, Any], rules: Mapping[str, Any]) -> list[str]:
    name, notes = entry["name"], []
    if rules.get("nanStrategy") == "replace":
        notes.append(f"{name}: nanStrategy was left out: a missing value is never counted as 0.")
    if rules.get("mustHaveData"):
        notes.append(f"{name}: mustHaveData was left out: missing data never passes.")
    if rules.get("outliers"):
        notes.append(f"{name}: outlier removal was left out: bursts are damped, not deleted.")
    if len(_groups(entry)) > 1:
        notes.append(f"{name}: only its first group, {_groups(entry)[0]}, was kept.")
    query = entry.get("query")
    if query and not (isinstance(query, dict) and query.get("metricName")):
        notes.append(f"{name}: its query was left out: {json.dumps(query)[:SHOWN]}.")
    return notes


def _left_out(config: Mapping[str, Any]) -> list[str]:
    scores = _keys(_keys(config, "classifier"), "scoreThresholds")
    notes = []
    if scores:
        notes.append(
            f"scoreThresholds (pass {scores.get('pass')}, marginal {scores.get('marginal')}) were "
            "left out: every critical metric must pass, and the score is only for display."
        )
    if config.get("templates"):
        notes.append("templates were left out: a policy names metrics, not queries.")
    return notes
