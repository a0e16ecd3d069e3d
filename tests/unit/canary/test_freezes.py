"""Freeze windows: when no release may start, why, and until when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from canary.environment import Freeze, frozen, parse_environment
from canary.errors import PolicyError
from tests.unit.canary.test_environment import GOOD

# 2026-11-27 is a Friday.
HOLIDAYS = {"why": "holidays", "start": "2026-12-20T18:00:00Z", "end": "2027-01-02T00:00:00Z"}
WEEKEND = {"why": "weekend", "days": ["sat", "sun"]}
FRIDAY = {"why": "friday evening", "days": ["fri"], "begins": "16:00"}
NIGHT = {
    "why": "night",
    "days": ["mon", "tue"],
    "begins": "22:00",
    "ends": "06:00",
    "timezone": "Europe/Berlin",
}


def at(moment: str, *windows: dict[str, Any]) -> str:
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()
    return frozen([Freeze.model_validate(window) for window in windows], now)


@pytest.mark.parametrize(
    ("moment", "window", "until"),
    [
        ("2026-12-20T17:59", HOLIDAYS, ""),
        ("2026-12-20T18:00", HOLIDAYS, "holidays, until 2027-01-02 00:00 UTC"),
        ("2027-01-02T00:00", HOLIDAYS, ""),
        ("2026-11-27T23:59", WEEKEND, ""),
        ("2026-11-28T00:00", WEEKEND, "weekend, until 2026-11-30 00:00 UTC"),
        ("2026-11-30T00:00", WEEKEND, ""),
        # Berlin is an hour ahead of UTC in November: 22:00 there is 21:00.
        ("2026-11-23T20:59", NIGHT, ""),
        ("2026-11-23T21:00", NIGHT, "night, until 2026-11-24 05:00 UTC"),
        ("2026-11-25T04:59", NIGHT, "night, until 2026-11-25 05:00 UTC"),
        ("2026-11-25T21:00", NIGHT, ""),
    ],
)
def test_a_window_says_until_when(moment: str, window: dict[str, Any], until: str) -> None:
    assert at(moment, window) == until


def test_windows_that_follow_one_another_are_one() -> None:
    found = at("2026-11-27T17:00", FRIDAY, WEEKEND)
    assert found == "friday evening and weekend, until 2026-11-30 00:00 UTC"


def test_an_endless_freeze_is_still_a_sentence() -> None:
    always = {"why": "never again", "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}
    assert at("2026-11-27T17:00", always).startswith("never again, until 20")


@pytest.mark.parametrize(
    ("window", "sentence"),
    [
        ({"why": "x"}, "needs either start and end"),
        ({"why": "x", "start": "2026-12-20T18:00:00Z"}, "needs either start and end"),
        (HOLIDAYS | {"days": ["sat"]}, "needs either start and end"),
        (HOLIDAYS | {"end": "2026-01-01T00:00:00Z"}, "before it starts"),
        (HOLIDAYS | {"end": "2026-12-24T00:00:00"}, "timezone"),
        (WEEKEND | {"begins": 1080}, "1080 is not a time of day; write it in quotes"),
        (WEEKEND | {"timezone": "Berlin"}, "'Berlin' is not a time zone"),
        (WEEKEND | {"days": ["saturday"]}, "'saturday'"),
    ],
)
def test_a_wrong_window_is_refused_in_a_sentence(window: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse_environment(GOOD | {"freezes": [window]})
    assert "freezes: item 1" in str(refused.value)
    assert sentence in str(refused.value)
