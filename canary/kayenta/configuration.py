"""A Kayenta canary-config as a policy, with a sentence for everything that had to be assumed.

Kayenta names queries; a policy names metrics and says what kind each is, so the kind is read from
the name and said aloud. What has no counterpart, or is not needed any more, is said too.
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

KINDS = (
    (r"error|5xx|4xx|fail|exception|restart|timeout|reject", "count"),
    (r"p\d\d|percentile|latency|duration|response.?time|elapsed", "latency"),
    (r"memory|heap|rss|swap|disk.?used|file.?desc", "level"),
    (r"requests?\b|throughput|rps|qps|traffic|hits", "throughput"),
)
QUANTILE = re.compile(r"p(\d\d(?:\.\d+)?)", re.IGNORECASE)
SHOWN = 60


@dataclass(frozen=True, slots=True)
class Import:
    """The policy as YAML, checked, and what a person should look at in it."""

    policy: Policy
    text: str
    notes: tuple[str, ...]


def import_kayenta(text: str, name: str = "canary-config.json") -> Import:
    """Read a canary-config.

    Raises:
        PolicyError: the text is not JSON, or not a canary-config.
    """
    config = _config(text, name)
    weights = _group_weights(config)
    notes: list[str] = []
    metrics = [_metric(entry, weights, config["metrics"], notes) for entry in config["metrics"]]
    notes += _left_out(config)
    document = {"version": 1, "metrics": metrics}
    policy_text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    return Import(parse_policy(policy_text, name), policy_text, tuple(notes))


def _config(text: str, name: str) -> Mapping[str, Any]:
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise PolicyError(f"{name} is not JSON: {error.msg} at line {error.lineno}.") from error
    metrics = config.get("metrics") if isinstance(config, dict) else None
    if not isinstance(metrics, list) or not metrics:
        raise PolicyError(f"{name} has no list of metrics, so it is not a Kayenta canary-config.")
    for index, entry in enumerate(metrics, 1):
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise PolicyError(f"{name}: metric {index} has no name.")
    return dict(config)


def _group_weights(config: Mapping[str, Any]) -> dict[str, float]:
    """Each group's weight; what is left of 100 is shared by the groups without one."""
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
    notes.append(f"{name} was read as a {kind}, by its name: check its kind.")
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
    """The name in the metrics store; a whole query is no name."""
    query = entry.get("query")
    name = query.get("metricName") if isinstance(query, dict) else None
    return name if isinstance(name, str) and name != entry["name"] else ""


def _weight(
    group: str, weights: Mapping[str, float], metrics: Sequence[Mapping[str, Any]]
) -> float:
    """The group's weight shared by its metrics, and never nothing."""
    members = sum(_groups(entry)[0] == group for entry in metrics)
    return max(round(weights.get(group, 0) / members, 6), 0.001)


def _harm(name: str, direction: object, notes: list[str]) -> dict[str, str]:
    if direction in ("increase", "decrease", "either"):
        return {"harm": str(direction)}
    notes.append(f"{name}: direction {direction!r} is unknown, so a change either way is harm.")
    return {"harm": "either"}


def _margin(name: str, rules: Mapping[str, Any], harm: str, notes: list[str]) -> dict[str, str]:
    """The effect gate, where it is a real tolerance; Kayenta's default of 1.0 is none."""
    gates = _keys(rules, "effectSize")
    if gates.get("measure", "meanRatio") != "meanRatio":
        notes.append(f"{name}: effect sizes by {gates['measure']} have no counterpart: left out.")
        return {}
    increase = _number(gates, "allowedIncrease", 1.0) - 1
    decrease = 1 - _number(gates, "allowedDecrease", 1.0)
    allowed = decrease if harm == "decrease" else increase
    return {"margin": f"{100 * allowed:.12g}%"} if allowed > 0 else {}


def _keys(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object under ``key``; none is an empty one."""
    value = parent.get(key) or {}
    if not isinstance(value, dict):
        raise PolicyError(f"{key} is {value!r}, and a canary-config has an object there.")
    return value


def _number(parent: Mapping[str, Any], key: str, default: float) -> float:
    value = parent.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PolicyError(f"{key} is {value!r}, and a canary-config has a number there.")
    return float(value)


def _metric_notes(entry: Mapping[str, Any], rules: Mapping[str, Any]) -> list[str]:
    name, notes = entry["name"], []
    if rules.get("nanStrategy") == "replace":
        notes.append(f"{name}: missing values count as missing here, never as 0.")
    if rules.get("mustHaveData"):
        notes.append(f"{name}: mustHaveData is not needed: missing data never passes here.")
    if rules.get("outliers"):
        notes.append(f"{name}: outlier removal is not needed: bursts are damped, not deleted.")
    if len(_groups(entry)) > 1:
        notes.append(f"{name} is in several groups; the first, {_groups(entry)[0]}, was taken.")
    query = entry.get("query")
    if query and not (isinstance(query, dict) and query.get("metricName")):
        notes.append(f"{name}: its query was not taken over: {json.dumps(query)[:SHOWN]}.")
    return notes


def _left_out(config: Mapping[str, Any]) -> list[str]:
    scores = _keys(_keys(config, "classifier"), "scoreThresholds")
    notes = []
    if scores:
        notes.append(
            f"scoreThresholds (pass {scores.get('pass')}, marginal {scores.get('marginal')}) have "
            "no counterpart: every critical metric must pass, and the score is for display."
        )
    if config.get("templates"):
        notes.append("templates were not taken over: a policy names metrics, not queries.")
    return notes
