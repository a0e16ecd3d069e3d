"""The text of a proposed policy: every metric with its reason, and the metrics left out."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from typing import Any

import yaml

from canary.formatting import duration, number, percent, plural, quantity
from canary.offline.suggest.propose import Suggested, Suggestion
from canary.offline.suggest.times import written
from canary.policy import Metric

WIDTH = 100
TIMES = {
    "period": "the candidate is judged every period, with all data so far",
    "warmup": "the candidate's first requests are not judged",
    "minimum": "no PASS before that",
    "maximum": "INCONCLUSIVE after that",
}
OWN = ("version", *TIMES, "steps", "metrics", "environment")


def policy_text(
    found: Suggestion, origin: str, kept: Mapping[str, Any], more: list[Mapping[str, Any]]
) -> str:
    """Return a policy file; ``kept`` are keys and ``more`` metrics of an earlier policy."""
    policy = found.policy
    lines = [*_comment(_head(found, origin)), "---", "version: 1"]
    for key, why in TIMES.items():
        lines.append(f"{key}: {written(getattr(policy, key))} # {why}")
    shares = ", ".join(f"{100 * step:g}%" for step in policy.steps)
    lines.append(f"steps: [{shares}] # the candidate's share of the users")
    lines += _block({key: value for key, value in kept.items() if key not in OWN})
    lines.append("metrics:")
    for one in found.metrics:
        lines += ["", *_comment(_why(one, found), "  "), f"  - {{{_flow(one.metric)}}}"]
    if more:
        told = "Counters of the proxy, kept as they were: it counts them only during a canary."
        lines += ["", *_comment(told, "  ")]
        lines += [f"  - {json.dumps(dict(one))}" for one in more]
    if found.left_out:
        lines += ["", "  # Left out:"]
        for left in found.left_out:
            lines += _comment(f"- {left.name}: {left.reason}.", "  ")
    if environment := kept.get("environment"):
        lines += ["", *_block({"environment": environment})]
    return "\n".join(lines) + "\n"


def summary(found: Suggestion) -> list[str]:
    """Return a table of the metrics, and sentences, for the terminal."""
    rows = [("metric", "kind", "accepted harm", "takes", "harm that was added: found")]
    windows = found.measured.windows
    for one in found.metrics:
        took = duration(one.outlook.passes) if one.outlook.passes else "never"
        seen = f"{_harm(one, found)}: {found.measured.harms.get(one.metric.name, 0)} of {windows}"
        rows.append((one.metric.name, one.metric.kind, accepted_words(one.metric), took, seen))
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines += [f"Left out: {left.name}. {left.reason}." for left in found.left_out]
    return [*lines, f"{found.sentence}."]


def _harm(one: Suggested, found: Suggestion) -> str:
    """Return in words the size of the harm that was added to a metric."""
    metric, size = one.metric, found.measured.sizes.get(one.metric.name, 0.0)
    if metric.kind != "count" or metric.harmful == "decrease":
        return f"{percent(size)} {'less' if metric.harmful == 'decrease' else 'more'}"
    if metric.per == "time":
        return f"{number(size)} more in a period"
    return f"{percent(size)} of requests more"


def accepted_words(metric: Metric) -> str:
    """Return the accepted harm of a metric in a few words."""
    words = str(metric.limit)
    if metric.harmful == "decrease":
        words += " less"
    if metric.negligible_amount:
        words += f", or {quantity(metric.negligible_amount, metric.unit or '')}"
    if metric.kind == "count" and metric.negligible_rate:
        words += f", or {100 * metric.negligible_rate:g}% of requests"
    return words


def _head(found: Suggestion, origin: str) -> str:
    return (
        f"Proposed by canary suggest from {duration(found.seconds)} of {origin}, "
        f"{plural(found.hosts, 'instance')} of one release. {found.sentence}. docs/suggest.md "
        "explains how."
    )


def _why(one: Suggested, found: Suggestion) -> str:
    seen = f"{found.measured.harms.get(one.metric.name, 0)} of {found.measured.windows}"
    unit = ""
    if one.metric.kind in ("latency", "quantile") and one.metric.unit is None:
        unit = (
            " Its unit is not known, so every difference counts: write unit: ms or unit: s instead "
            "of negligible, so that a few ms more are accepted."
        )
    return (
        f"{one.reason}. {one.outlook.sentence}. Harm of {_harm(one, found)} was found in {seen} "
        f"windows.{unit}"
    )


def _flow(metric: Metric) -> str:
    """Return a metric as the inside of a YAML flow mapping."""
    keys = metric.model_dump(mode="json", exclude_unset=True)
    return ", ".join(f"{key}: {_scalar(value)}" for key, value in keys.items())


def _scalar(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000)
    return text.removesuffix("...\n").strip()


def _block(document: Mapping[str, Any]) -> list[str]:
    if not document:
        return []
    return yaml.safe_dump(dict(document), sort_keys=False, width=WIDTH).rstrip().splitlines()


def _comment(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}# ",
        break_long_words=False,
        break_on_hyphens=False,
    )
