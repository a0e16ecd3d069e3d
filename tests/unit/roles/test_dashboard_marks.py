"""The role writes dashboards, the command annotates them: neither undoes the other."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import pytest

from canary.state.board import marked
from tests.support.plugin_filters import PLUGINS
from tests.unit.roles.test_catalogue import dashboards

MARKS = [{"label": "PASS v2", "value": "2026-11-26T15:00:00Z"}]


@pytest.fixture(scope="module")
def keeping() -> Callable[..., dict[str, Any]]:
    path = PLUGINS / "modules/cloudwatch_dashboard.py"
    spec = importlib.util.spec_from_file_location("cloudwatch_dashboard", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[..., dict[str, Any]] = module.keeping
    return found


def test_a_second_run_finds_a_marked_dashboard_as_it_should_be(
    keeping: Callable[..., dict[str, Any]],
) -> None:
    for body in dashboards().values():
        assert body["widgets"]
        for there in (body, marked(body, MARKS)):
            assert keeping(body, there) == there
        assert keeping(body, None) == body


def test_a_changed_graph_keeps_its_marks_and_a_new_one_waits_for_the_next_canary(
    keeping: Callable[..., dict[str, Any]],
) -> None:
    body = dashboards()["release"]
    first, *others = body["widgets"]
    there = marked({**body, "widgets": [first]}, MARKS)
    taller = {**first, "height": 9}
    made = keeping({**body, "widgets": [taller, *others]}, there)
    assert made["widgets"][0]["height"] == 9
    assert made["widgets"][0]["properties"]["annotations"] == {"vertical": MARKS}
    assert made["widgets"][1:] == others


def test_marks_that_the_role_itself_wants_win(keeping: Callable[..., dict[str, Any]]) -> None:
    own = marked(dashboards()["shop"], [{"value": "2026-01-01T00:00:00Z"}])
    assert keeping(own, marked(own, MARKS)) == own
