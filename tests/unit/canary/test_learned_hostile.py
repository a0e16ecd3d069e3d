"""Hostile calibrations, written to get a bad release accepted, or to occupy the judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.canary.test_learned import check_refused, written


def noisy(**changes: Any) -> str:
    """Return a calibration's file with another noise."""
    return json.dumps(written(noise={"tau": 0.1, "phi": 0.3, "host": 0.01, **changes}))


HOSTILE = [
    ("[" * 200_000, "nested too deeply"),
    ('{"version": 1, "calibration": ' + "[" * 200_000, "nested too deeply"),
    ("9" * 5_000, "Exceeds the limit"),
    (noisy(tau=float("inf")), "noise.tau"),
    (noisy(tau=1e300), "noise.tau: input should be less than or equal to 1000000"),
    (noisy(tau=-0.1), "noise.tau: input should be greater than or equal to 0"),
    (noisy(tau="much"), "noise.tau: input should be a valid number"),
    (noisy(tau=[0.1]), "noise.tau"),
    (noisy(phi=1), "noise.phi: input should be less than 1"),
    (noisy(clip=0), "noise.clip: input should be greater than or equal to 1"),
    (noisy(arm_clip=0.001), "noise.arm_clip: input should be greater than or equal to 1"),
    (json.dumps(written(kappa={"window": [[4, -1.0]]})), "kappa.window.0.1"),
    (json.dumps(written(kappa={"window": [[4, 0.001]]})), "kappa.window.0.1"),
    (json.dumps(written(kappa={"window": [[4, 1e9]]})), "kappa.window.0.1"),
    (json.dumps(written(kappa={"window": [[-4, 1.0]]})), "kappa.window.0.0"),
    (json.dumps(written(kappa={"window": [[n, 1.0] for n in range(1, 2_000)]})), "at most 1000"),
    (json.dumps(written(kappa=[1])), "metrics.latency.kappa"),
    (json.dumps(written(windows=10**12)), "metrics.latency.windows"),
    (json.dumps(written(rank_lean=1e9)), "metrics.latency.rank_lean"),
    (json.dumps({"version": 1, "calibration": {"metrics": ["latency"]}}), "metrics"),
    (json.dumps({"version": 1, "calibration": None}), "is damaged"),
    (" " * 50_000_001, "it is larger than 50 MB"),
]
"""A width below 1 makes chance look like evidence. A clip below 1 hides every difference."""


@pytest.mark.parametrize(("text", "sentence"), HOSTILE)
def test_a_hostile_calibration_is_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    check_refused(tmp_path, text, sentence)
