"""Histories in which instances drift apart or had an incident, and the margins they allow."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from canary.offline.suggest.trials import Windows
from canary.policy import load_policy
from tests.unit.canary.cli_shell import Shell, shell
from tests.unit.canary.test_suggest import HEADER, PERIOD, START, SUGGEST, WRITTEN

canary = pytest.fixture(shell, name="canary")
WINDOWS, LENGTH, REQUESTS = 40, 24, 400
"""Windows of two minutes. The margins are chosen from the first half of them."""


def history(file: Path, *, drift: float = 0.0, incidents: tuple[int, ...] = ()) -> None:
    """Write a history in which the second instance gets slower, or fails in some windows."""
    chance = np.random.default_rng(7)
    with file.open("w", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerow(HEADER)
        for at in range(WINDOWS * LENGTH):
            gone = at / (WINDOWS * LENGTH / 2)
            failing = any(0 <= at - (window * LENGTH + 8) < 6 for window in incidents)
            for host in range(2):
                apart = np.exp(drift * gone * host)
                latency = 0.3 * apart * np.exp(chance.normal(0, 0.015))
                errors = chance.binomial(REQUESTS, 0.5 if failing and host else 0.01)
                own = [START + at * PERIOD, "baseline", f"i-{host}"]
                rows.writerow([*own, "latency_seconds", f"{latency:.5f}", REQUESTS, 0.6])
                rows.writerow([*own, "errors", errors, REQUESTS, ""])


def proposed(canary: Shell, tmp_path: Path, **how: object) -> tuple[dict[str, float], str]:
    """Return the proposed margins, and the text of the policy in one line."""
    history(tmp_path / "history.csv", **how)  # type: ignore[arg-type]
    status, out, err = canary(*SUGGEST, "--force")
    assert status == 0, out + err
    margins = {metric.name: metric.limit.value for metric in load_policy(WRITTEN).metrics}
    return margins, " ".join(WRITTEN.read_text().replace("#", "").split())


@pytest.mark.long
def test_a_margin_bears_the_drift_of_the_instances(canary: Shell, tmp_path: Path) -> None:
    steady, text = proposed(canary, tmp_path)
    assert "drift" not in text
    drifting, text = proposed(canary, tmp_path, drift=0.08)
    assert "Equal instances drift apart, by " in text
    assert "which the margin bears" in text
    assert drifting["latency_seconds"] > steady["latency_seconds"]
    assert drifting["errors"] == steady["errors"]


def test_a_drift_that_no_margin_bears_leaves_the_metric_out(canary: Shell, tmp_path: Path) -> None:
    margins, text = proposed(canary, tmp_path, drift=0.9)
    assert list(margins) == ["errors"]
    assert "latency_seconds: Equal instances drift apart, by" in text


@pytest.mark.long
@pytest.mark.parametrize(("incidents", "kept"), [((4,), True), ((4, 9, 14), False)])
def test_one_incident_of_an_instance_does_not_cost_a_metric_and_three_do(
    canary: Shell, tmp_path: Path, incidents: tuple[int, ...], *, kept: bool
) -> None:
    """Overlapping windows show the same incident, which counts once."""
    margins, text = proposed(canary, tmp_path, incidents=incidents)
    assert ("errors" in margins) == kept
    said = "Equal instances would FAIL in 1 of 20 independent windows" if kept else "errors: Equal"
    assert said in text


def test_windows_that_share_time_are_not_independent() -> None:
    windows = Windows({}, (0, 60, 120, 180, 240, 0), 120, (1, 1))
    assert windows.independent() == 3
    assert windows.independent(np.array([False, True, True, False, False, False])) == 1
    assert not windows.surely_more(1, 0.05)
    assert windows.surely_more(3, 0.05)
