"""A policy file: short ones work, and invalid ones are refused with all faults at once."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from canary.errors import PolicyError
from canary.policy import Drift, Margin, Policy, load_policy, parse_policy, policy_schema
from canary.policy.quantities import parse_drift, parse_duration, parse_margin, parse_share

FIVE_LINES = """version: 1
metrics:
- {name: latency, kind: quantile}
- {name: errors, kind: count}
- {name: cpu, kind: gauge}
"""
FULL = """
version: 1
period: 10s
warmup: 30s
minimum: 2m
maximum: 10m
steps: [5%, 20%, 50%]
alpha: 1%
beta: 5%
missing: {share: 10%, consecutive: 2}
traffic_rule: {minimum_samples: 500, split_tolerance: 5 points}
judge: cart-canary
metrics:
- {name: p99 latency, source: latency, kind: quantile, statistic: p99, margin: 10%, weight: 2}
- {name: errors, kind: count, margin: x1.5, negligible: 0.1%, group: failures}
- {name: checkouts, kind: count, harm: decrease, margin: 15%, critical: false}
- {name: restarts, kind: count, per: time}
- {name: memory, kind: level, margin: 4 points, drift: 0.1 points per minute, muted: true}
- {name: cpu, kind: gauge, harm: either, equal_footing: false}
- {name: requests, kind: throughput}
slos:
- {metric: errors, maximum: 2%, sustained: 30s}
- {metric: restarts, total: 3}
- {metric: errors, excess: 200}
environment: {name: local}
"""


def refusal(text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "canary.yml")
    return str(caught.value).replace("  - Two", "  - two").replace("  - Every", "  - every")


def test_five_lines_are_a_policy() -> None:
    policy = parse_policy(FIVE_LINES)
    assert [metric.limit for metric in policy.metrics] == [Margin(0.05), Margin(0.5), Margin(0.1)]
    assert (policy.alpha, policy.beta, policy.period, policy.periods) == (0.01, 0.05, 60, 57)


def test_every_key_is_read() -> None:
    policy = parse_policy(FULL)
    tail, errors, checkouts, restarts, memory, cpu, requests = policy.metrics
    assert (tail.source_name, tail.statistic_name, tail.quantile) == ("latency", "p99", 0.99)
    assert (errors.limit, errors.negligible_rate) == (Margin(0.5), 0.001)
    assert (checkouts.harmful, checkouts.critical) == ("decrease", False)
    assert restarts.per == "time"
    assert memory.drift == Drift(0.1, "points")
    assert (cpu.needs_equal_footing, memory.needs_equal_footing) == (False, True)
    assert requests.harmful == "decrease"
    assert policy.slos[0].maximum == 0.02
    assert policy.traffic_rule.split_tolerance == Margin(5.0, "points")


def test_a_policy_survives_being_dumped() -> None:
    policy = parse_policy(FULL)
    again = Policy.model_validate(json.loads(policy.model_dump_json()))
    assert again == policy


def test_the_schema_for_editors_takes_good_policies_and_no_unknown_key() -> None:
    schema = policy_schema()
    jsonschema.validate(yaml.safe_load(FULL), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(FIVE_LINES + "perod: 5s\n"), schema)


def test_all_faults_are_named_at_once_and_near_misses_are_guessed() -> None:
    message = refusal(
        "version: 1\nperod: 5s\nwarmup: soon\nmissing: {shar: 3%}\nmetrics:\n"
        "- {name: a, kind: quantil}\n- {name: b, kind: count, marign: 3%}\n"
    )
    for sentence in (
        "perod is not a key. Did you mean period?",
        "warmup: 'soon' is not a duration; write 90s, 5m or 1h30m.",
        "missing: shar is not a key. Did you mean share?",
        "metrics[1] (a): kind is 'quantil'",
        "Did you mean quantile?",
        "metrics[2] (b): marign is not a key. Did you mean margin?",
    ):
        assert sentence in message


# The fault, and the text that the sentence must contain.
WRONG = {
    "alpha: 5": "write 5% or a fraction",
    "steps: [50%, 20%]": "must rise",
    "steps: []": "at least 1 item",
    "minimum: 2h": "longer than maximum",
    "maximum: 5m\nminimum: 1m": "fewer than 10 periods",
    "judge: kayent": "Did you mean kayenta?",
    "slos: [{metric: eror, maximum: 1%}]": "'eror'",
    "slos: [{metric: errors}]": "one of maximum, minimum, total",
    "slos: [{metric: cpu, excess: 5}]": "a count has an excess, not 'cpu': errors",
    "slos: [{metric: errors, excess: 0}]": "excess",
    "traffic_rule: {split_tolerance: 5%}": "not in points",
}


@pytest.mark.parametrize(("line", "words"), WRONG.items())
def test_wrong_values_are_refused_with_what_is_allowed(line: str, words: str) -> None:
    assert words in refusal(FIVE_LINES + line + "\n")


WRONG_METRICS = {
    "{name: x, kind: quantile, statistic: mean}": "not a quantile",
    "{name: x, kind: latency, statistic: mode}": "not a statistic",
    "{name: x, kind: latency, margin: 0%}": "must be above 0",
    "{name: x, kind: latency, margin: five}": "is not a margin",
    "{name: x, kind: latency, margin: 4 points}": "only a level has a margin in points",
    "{name: x, kind: latency, drift: 1% per minute}": "drift is for levels",
    "{name: x, kind: level, drift: 1%}": "is not a drift",
    "{name: x, kind: gauge, negligible: 1%}": "has a unit, but the metric has no unit",
    "{name: x, kind: count, harm: decrease, margin: 120%}": "would allow any fall",
    "{name: latency, kind: latency}": "two metrics are named 'latency'",
    "{kind: latency}": "name is missing",
    "{name: x, kind: latency, weight: -1}": "greater than 0",
}


@pytest.mark.parametrize(("metric", "words"), WRONG_METRICS.items())
def test_wrong_metrics_are_refused_with_what_is_allowed(metric: str, words: str) -> None:
    assert words in refusal(FIVE_LINES + f"- {metric}\n")


def test_a_policy_that_judges_nothing_is_refused() -> None:
    text = "version: 1\nmetrics: [{name: x, kind: latency, muted: true}]"
    assert "every metric is muted" in refusal(text)


@pytest.mark.parametrize("text", ["", "- a list", "a: [", "just words"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    assert "canary.yml" in refusal(text)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "none.yml")


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "canary.yml"
    path.write_text(FIVE_LINES)
    assert load_policy(path) == parse_policy(FIVE_LINES)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), ("1 h", 3600), (45, 45), ("1.5m", 90)],
)
def test_durations(text: object, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["0.3s", "", "m", "5 parsecs", "5m x"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|whole number"):
        parse_duration(text)


def test_shares_margins_and_drifts() -> None:
    assert (parse_share("5%"), parse_share(0.05)) == (0.05, 0.05)
    assert parse_margin("x1.5") == parse_margin("1.5x") == parse_margin("50%") == Margin(0.5)
    assert parse_margin("x0.8").value == pytest.approx(0.2)
    assert parse_drift("6% per hour") == Drift(0.001)
    assert str(parse_margin("4 points")) == "4 points"
    assert parse_drift(str(parse_drift("0.1 points/min"))) == Drift(0.1, "points")


def test_a_tail_has_a_wider_margin_by_default() -> None:
    policy = parse_policy("version: 1\nmetrics: [{name: x, kind: quantile, statistic: p99}]")
    assert policy.metrics[0].limit == Margin(0.10)


def test_a_key_that_is_written_twice_is_refused_with_both_lines() -> None:
    with pytest.raises(PolicyError) as refused:
        parse_policy(FIVE_LINES + "period: 5s\nalpha: 1%\nperiod: 60s\n")
    last = len(FIVE_LINES.splitlines()) + 3
    assert f"has the key 'period' twice, in line {last - 2} and line {last}; remove one" in str(
        refused.value
    )


@pytest.mark.parametrize("text", ["[" * 5_000, "a: " + "{b: " * 5_000])
def test_a_policy_that_is_nested_too_deeply_is_a_sentence(text: str) -> None:
    with pytest.raises(PolicyError, match=r"policy is nested too deeply to be read|is not YAML"):
        parse_policy(text)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("alpha: " + "9" * 400, "is not a share; write 5% or a fraction from 0 to 1"),
        ("alpha: 20", "20 is not a share; write 20% or a fraction from 0 to 1"),
        ("alpha: 150", "150 is not a share; write 5% or a fraction from 0 to 1"),
        ("warmup: " + "9" * 400 + "d", "inf s is longer than a year"),
        ("maximum: " + "9" * 400, "s is longer than a year"),
        ("maximum: " + "9" * 5_000, "has a value that cannot be read: Exceeds the limit"),
        ("alpha: 2026-13-45", "has a value that cannot be read: month must be in 1..12"),
    ],
)
def test_a_number_or_a_date_that_is_none_is_a_sentence(line: str, sentence: str) -> None:
    """The error is a sentence, not a traceback."""
    with pytest.raises(PolicyError) as refused:
        parse_policy(f"{FIVE_LINES}{line}\n")
    assert sentence in str(refused.value)
