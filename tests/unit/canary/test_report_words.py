"""Numbers and times in the report, and the geometry of its plots."""

from __future__ import annotations

import doctest
import math

import pytest

from canary import formatting
from canary.formatting import MINUS, duration, number, percent
from canary.model import Finding, Verdict
from canary.report import geometry as g
from canary.report.findings import bar, share


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.1234, "12"),
        (0.0423, "4.2"),
        (0.05, "5"),
        (1.5, "150"),
        (-0.051, f"{MINUS}5.1"),
        (0.0001, "0.01"),
        (1e-9, "0"),
        (-1e-9, "0"),
        (0.0995, "10"),
        (14.26, "1,426"),
    ],
)
def test_percent(value: float, said: str) -> None:
    assert percent(value) == f"{said} %"


def test_signs_stand_before_what_is_not_zero() -> None:
    assert percent(0.02, signed=True) == "+2 %"
    assert percent(1e-9, signed=True) == "0 %"
    assert number(-2.5, signed=True) == f"{MINUS}2.5"
    assert percent(math.inf) == "unbounded"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1234.5, "1,234"),
        (999.7, "1,000"),
        (999.4, "999"),
        (0.01234, "0.0123"),
        (-3.0, f"{MINUS}3"),
        (1e-5, "0.00001"),
        (0.0, "0"),
    ],
)
def test_number(value: float, said: str) -> None:
    assert number(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (45, "45 s"),
        (60, "1 min"),
        (90, "90 s"),
        (150, "2 min 30 s"),
        (600, "10 min"),
        (5400, "1 h 30 min"),
    ],
)
def test_duration(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(("progress", "whole"), [(0.0, 0), (0.999, 99), (1.0, 100), (7.0, 100)])
def test_only_what_is_there_is_100_per_cent(progress: float, whole: int) -> None:
    assert share(progress) == whole


def test_the_examples_of_the_formatter_hold() -> None:
    assert doctest.testmod(formatting).failed == 0


def test_lines_break_where_a_value_is_missing() -> None:
    frame = g.Frame(0, 10, 0, 1)
    path = g.line(frame, [(0, 0.0), (1, 0.5), (2, None), (3, 1.0)])
    assert path == "M0.0 400.0L100.0 200.0M300.0 0.0h0.01"


def test_values_beyond_the_frame_end_at_its_edge() -> None:
    frame = g.Frame(0, 10, 0, 1)
    assert g.line(frame, [(0, 1e9), (10, -1e9)]) == "M0.0 -40.0L1000.0 440.0"


@pytest.mark.parametrize("values", [[], [5.0], [0.0, 0.0], [math.nan, 1.0], [-3.0, 1e9]])
def test_every_frame_has_height_and_ticks(values: list[float]) -> None:
    frame = g.frame(0, 60, values)
    assert frame.high > frame.low
    assert 2 <= len(g.value_ticks(frame)) <= 8


@pytest.mark.parametrize("span", [5, 60, 150, 3600, 86400])
def test_time_ticks_are_few_and_round(span: int) -> None:
    ticks = g.time_ticks(span)
    assert 1 <= len(ticks) <= 8
    assert ticks[0] == 0


def test_bar_keeps_order_and_stays_inside() -> None:
    finding = Finding(
        "m", Verdict.FAIL, "", critical=True, effect=0.4, low=0.1, high=9.0, margin=0.05
    )
    shown = bar(finding)
    assert shown is not None
    assert shown.margin is not None
    assert 0 <= shown.zero < shown.margin < shown.left < shown.middle <= 100
    assert shown.left + shown.width <= 100.7
    assert shown.open_right
    assert not shown.open_left


def test_no_bar_without_an_interval() -> None:
    assert bar(Finding("m", Verdict.INCONCLUSIVE, "", critical=True)) is None


@pytest.mark.parametrize("share", [1e4, -1e52, math.inf, -math.inf])
def test_a_share_that_says_nothing_is_unbounded(share: float) -> None:
    """An interval after two periods must not fill the terminal's table with digits."""
    assert percent(share, signed=True) == "unbounded"
    assert percent(9_999.0) == "999,900 %"
