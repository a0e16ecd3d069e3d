"""Kayenta's own test cases: same arrays, same labels, same interval ends.

The numbers come from ClassifierSuite and MannWhitneySuite of spinnaker/kayenta: see data/NOTICE.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from canary.kayenta.rules import Direction, Gates, Rules, classify
from canary.kayenta.statistics import Shift, lower_quantile, mann_whitney, rank_z

FILE = Path(__file__).with_name("data") / "kayenta_cases.json"
CASES: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
CLASSIFIER: list[dict[str, Any]] = [
    entry
    for entry in CASES["classifier"]
    if entry["classifier"] == "MannWhitneyClassifier" and entry["effectSizeMeasure"] == "meanRatio"
]
"""The cases that a policy can express: no plain means, no effect size but the ratio of means."""
RANKED = [entry for entry in CLASSIFIER if entry["expect"]]
CLOSE = 1e-6  # the tolerance of MannWhitneySuite


def case(part: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in CASES[part] if entry["name"] == name)
    return found


def rules(entry: dict[str, Any]) -> Rules:
    return Rules(
        direction=Direction(entry["direction"].lower()),
        critical=entry["critical"],
        replace_nan=entry["nanStrategy"] == "Replace",
        allowed=Gates(*entry["effectSizeThresholds"]),
        critical_gates=Gates(*entry["criticalThresholds"]),
    )


def test_all_cases_are_here() -> None:
    assert len(CLASSIFIER) == 31
    assert len(CASES["mannwhitney"]) == 7


@pytest.mark.parametrize("entry", CLASSIFIER, ids=lambda entry: str(entry["name"]))
def test_label(entry: dict[str, Any]) -> None:
    x, y = np.array(entry["experiment"], float), np.array(entry["control"], float)
    limits = {"confidence": entry["confLevel"], "tolerance": entry["tolerance"]}
    result = classify(rules(entry), x, y, **limits)
    if entry["expect"]:
        assert result.label == entry["expect"], result.reason
    if entry["expectCritical"] is not None:
        assert result.critical is entry["expectCritical"]
    if entry["expectDeviation"] is not None:
        assert result.deviation == pytest.approx(float(entry["expectDeviation"]), nan_ok=True)
    assert result.reason


@pytest.mark.parametrize("entry", RANKED, ids=lambda entry: str(entry["name"]))
def test_label_holds_at_the_shipped_constants(entry: dict[str, Any]) -> None:
    assert classify(rules(entry), entry["experiment"], entry["control"]).label == entry["expect"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Mann-Whitney Confidence Interval & Estimate", (6.0, 39.0, 22.5)),
        (
            "Mann-Whitney Confidence Interval & Estimate: Problem Case",
            (-1.4808028936386108e-5, 1.808255910873413e-5, 1.808255910873413e-5),
        ),
        (
            "Mann-Whitney Confidence Interval & Estimate: Tie out with R Version",
            (-0.500002521696696, -3.486287505871302e-5, -0.4999393907180323),
        ),
        (
            "Mann-Whitney Confidence Interval & Estimate: Tie out with R Version (Large)",
            (-0.4999173250549087, -6.912685789769486e-6, -3.45044082729315e-5),
        ),
    ],
)
def test_interval(name: str, expected: tuple[float, float, float]) -> None:
    entry = case("mannwhitney", name)
    arrays = {key: np.array(values, float) for key, values in entry["arrays"].items()}
    x = arrays.get("experiment", arrays.get("experimentData"))
    y = arrays.get("control", arrays.get("controlData"))
    assert x is not None
    assert y is not None
    found = mann_whitney(x, y, entry["conf"])
    assert (found.low, found.high) == pytest.approx(expected[:2], abs=CLOSE)
    assert found.estimate == pytest.approx(expected[2], abs=1e-4)  # the suite's, for estimates


def test_rank_z() -> None:
    arrays = case("mannwhitney", "Wilcoxon Diff Function")["arrays"]
    x, y = np.array(arrays["x"]), np.array(arrays["y"])
    assert rank_z(0, 0, x, y) == pytest.approx(-1.229416, abs=CLOSE)
    assert rank_z(5, 0, x, y) == pytest.approx(-35.80606, abs=CLOSE)


def test_intermediate_values() -> None:
    entry = case("mannwhitney", "Mann-Whitney Intermediate Values / Variables")
    expected = {name: float(value) for name, value in entry["vals"].items()}
    x, y = (np.array(entry["arrays"][name]) for name in "xy")
    low, high = x.min() - y.max(), x.max() - y.min()
    assert (low, high) == pytest.approx((expected["rMumin"], expected["rMumax"]), abs=CLOSE)
    upper, lower = expected["rZqLower"], expected["rZqUpper"]
    ends = [rank_z(shift, z, x, y) for z in (upper, lower) for shift in (low, high)]
    names = ("rFlower1", "rFupper1", "rFlower2", "rFupper2")
    assert ends == pytest.approx([expected[name] for name in names], abs=CLOSE)
    shift = Shift(expected["rCil"], expected["rCiu"], expected["rEst"])
    found = mann_whitney(x, y, entry["conf"])
    assert (found.low, found.high, found.estimate) == pytest.approx(
        (shift.low, shift.high, shift.estimate), abs=CLOSE
    )


def test_quantile_of_the_interval() -> None:
    assert lower_quantile(0.98) == pytest.approx(-2.326348, abs=CLOSE)  # "Test zQuant"
