"""The IAM policies of hosts: linted, and tested with each row of docs/security.md."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.support.iam_policy import Request, allowed, listed
from tests.support.paths import ROOT
from tests.unit.roles.inventories import Environment

ROW = re.compile(r"^\| (\w+) \| `(\w+:\w+)` \| ([^|]+) \| (allowed|refused) \|$", re.MULTILINE)
TABLE = ROW.findall((ROOT / "docs/security.md").read_text(encoding="utf-8"))
ACTION = re.compile(r"[a-z0-9]+:[A-Z][A-Za-z]+")
# these have no resource type, so a condition limits them
WITHOUT_RESOURCES = {
    "cloudwatch:PutMetricData",
    "ssm:UpdateInstanceInformation",
    *(
        f"ssmmessages:{verb}{kind}"
        for verb in ("Create", "Open")
        for kind in ("ControlChannel", "DataChannel")
    ),
}


def statements(environment: Environment) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = environment.value("localhost", "rights_statements")
    return found


def test_each_kind_of_host_has_a_policy(environment: Environment) -> None:
    kinds = {kind["role"] for kind in environment.value("localhost", "instances_hosts")}
    assert set(statements(environment)) == kinds


def test_nothing_is_allowed_wholesale(environment: Environment) -> None:
    for kind, policy in statements(environment).items():
        for statement in policy:
            assert set(statement) <= {"Effect", "Action", "Resource", "Condition"}, kind
            assert statement["Effect"] == "Allow"
            actions = listed(statement["Action"])
            assert all(ACTION.fullmatch(action) for action in actions), (kind, actions)
            for resource in listed(statement["Resource"]):
                if resource == "*":
                    assert set(actions) <= WITHOUT_RESOURCES, kind
                    assert statement.get("Condition"), kind
                else:
                    assert resource.startswith("arn:aws:"), kind
                    assert "shop" in resource, "nobody else's"


def test_no_host_can_change_who_may_what(environment: Environment) -> None:
    text = json.dumps(statements(environment)).replace("ssm:UpdateInstanceInformation", "")
    assert not re.search(r'"(iam|sts|ec2|ssm|organizations|kms):', text)


def resource(environment: Environment, words: str) -> tuple[str, dict[str, str]]:
    """Return the ARN for a cell of the table, and the context of the request."""

    def value(name: str) -> str:
        return str(environment.value("localhost", name))

    region, account = value("aws_region"), value("aws_account")
    kind, _, rest = words.partition(" ")
    if kind == "namespace":
        return "*", {"cloudwatch:namespace": rest}
    if kind.startswith("bucket/"):
        return f"arn:aws:s3:::{value('release_bucket')}/{kind.removeprefix('bucket/')}", {}
    if kind == "table":
        return f"arn:aws:dynamodb:{region}:{account}:table/{value(f'{_table(rest)}_table')}", {}
    if kind == "logs":
        group, stream = f"{value('log_prefix')}{rest}", "log-stream:host-1"
        return f"arn:aws:logs:{region}:{account}:log-group:{group}:{stream}", {}
    known = {
        "the queue of events": value("event_queue_arn"),
        "the live colour": f"arn:aws:ssm:{region}:{account}:parameter{value('live_parameter')}",
        "anything": "*",
    }
    return known[words], {}


def _table(word: str) -> str:
    return {"alarms": "alarm"}.get(word, word)


def test_the_table_has_both_answers_for_each_host() -> None:
    for kind in ("app", "data", "monitor", "proxy"):
        assert {answer for host, _, _, answer in TABLE if host == kind} == {"allowed", "refused"}


@pytest.mark.parametrize(
    ("host", "action", "words", "answer"), TABLE, ids=lambda part: str(part).strip("`")
)
def test_a_host_can_do_what_it_needs_and_not_more(
    environment: Environment, host: str, action: str, words: str, answer: str
) -> None:
    arn, known = resource(environment, words)
    found = allowed(statements(environment)[host], Request(action, arn, known))
    assert found == (answer == "allowed")
