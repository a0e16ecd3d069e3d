"""The JSON report follows the schema that is published beside it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from canary.model import Verdict
from canary.report import render_json
from canary.report.json import SCHEMA
from tests.support.report_examples import POLICY, judgements, recording


def report(verdict: Verdict = Verdict.FAIL) -> dict[str, Any]:
    text = render_json(POLICY, recording(0.15), judgements(0.15, verdict))
    document: dict[str, Any] = json.loads(text)
    return document


@pytest.fixture(scope="module")
def validator() -> jsonschema_rs.Draft202012Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema_rs.meta.validate(schema)
    return jsonschema_rs.Draft202012Validator(schema)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_report_is_valid(validator: jsonschema_rs.Draft202012Validator, verdict: Verdict) -> None:
    assert [error.message for error in validator.iter_errors(report(verdict))] == []
    assert report(verdict)["verdict"] == verdict


def test_empty_report_is_valid(validator: jsonschema_rs.Draft202012Validator) -> None:
    document = json.loads(render_json(POLICY, recording(), ()))
    assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize(
    ("place", "wrong"),
    [("verdict", "MARGINAL"), ("period", 0), ("judgements", [{"at": 0}]), ("extra", 1)],
)
def test_schema_refuses_what_is_wrong(
    validator: jsonschema_rs.Draft202012Validator, place: str, wrong: object
) -> None:
    assert not validator.is_valid(report() | {place: wrong})


def test_report_keeps_every_look_and_number() -> None:
    looks = judgements(0.15, Verdict.FAIL)
    document = report()
    assert [look["at"] for look in document["judgements"]] == [look.at for look in looks]
    assert [f["effect"] for f in document["judgements"][-1]["findings"]] == [
        finding.effect for finding in looks[-1].findings
    ]
