"""The examples in CloudWatch's docstrings are run."""

from __future__ import annotations

import doctest
import importlib

import pytest

EXAMPLES = {
    "alarms.messages": 1,
    "alarms.reasons": 2,
    "alarms.rule": 3,
    "expressions.grammar": 1,
    "periods": 3,
    "search": 1,
}


@pytest.mark.parametrize(("name", "examples"), EXAMPLES.items())
def test_examples_hold(name: str, examples: int) -> None:
    found = doctest.testmod(importlib.import_module(f"local_cloud.cloudwatch.{name}"))
    assert found == doctest.TestResults(failed=0, attempted=examples)
