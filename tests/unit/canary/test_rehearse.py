"""A/A on stored series: windows without canaries, false alarms counted, noise learned."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from canary.errors import SourceError
from canary.evidence.fingerprint import fingerprint_of
from canary.model import Arm
from canary.offline.rehearse import Past, rehearse, windows
from canary.policy import Policy
from canary.sources.csv import Csv
from tests.unit.canary.cli_shell import POLICY, Shell
from tests.unit.canary.rollout_world import World

START = 1_700_000_000
RULES = Policy.model_validate({key: value for key, value in POLICY.items() if key != "environment"})


def points(path: Path, hours: float, *, offset: float = 0.0, hosts: int = 2) -> Path:
    """Write equal instances: shared load, 2 % of noise each, ``offset`` between them."""
    noise = np.random.default_rng(20261121)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["time", "arm", "instance", "metric", "value", "samples", "spread"])
        for period in range(int(hours * 720)):
            shared = noise.normal(0, 0.1)
            for host in range(hosts):
                value = 20 * np.exp(shared + noise.normal(offset * host, 0.02))
                time = START + 5 * period
                rows.writerow([time, "baseline", f"i-{host}", "latency", value, 500, 0.5])
    return path


def test_windows_follow_one_another_and_skip_canaries() -> None:
    past = Past("blue", START + 1, START + 1000, [(START + 300.5, START + 400.2)])
    assert list(past.starts(5, 24)) == [
        START + 5,
        START + 125,  # ends at 245; the next would end at 365, during a canary
        START + 405,
        START + 525,
        START + 645,
        START + 765,
    ]


def test_each_window_lets_one_instance_play_the_candidate(tmp_path: Path) -> None:
    source = Csv(points(tmp_path / "p.csv", 0.5, hosts=3), 5)
    found = windows(RULES, source, Past("baseline", START, START + 1800))
    assert len(found) == 15 * 3  # half an hour in windows of two minutes, three pairs
    for recording in found[:3]:
        assert {series.arm for series in recording.series} == {Arm.BASELINE, Arm.CANDIDATE}
        assert {len(series.times) for series in recording.series} == {24}
        assert recording.baseline.instances != recording.candidate.instances


def test_equal_instances_raise_no_alarm_and_teach_their_noise(tmp_path: Path) -> None:
    source = Csv(points(tmp_path / "p.csv", 1), 5)
    found = rehearse(RULES, windows(RULES, source, Past("baseline", START, START + 3600)), "csv")
    assert found.windows == 30
    assert found.calibrated == 0
    # exact interval of 0 in 30: 1 - 0.025 ** (1 / 30) = 0.1157
    assert found.low == 0.0
    assert found.high == pytest.approx(0.1157, abs=1e-4)
    assert found.calibration.metrics["latency"].windows == 30
    assert found.calibration.fingerprint == fingerprint_of(RULES, "csv", 2)
    assert "30 windows of equal instances: 0 false alarms" in found.sentence


def test_hosts_that_differ_are_learned_not_blamed(tmp_path: Path) -> None:
    source = Csv(points(tmp_path / "p.csv", 1, offset=0.3), 5)
    found = rehearse(RULES, windows(RULES, source, Past("baseline", START, START + 3600)), "csv")
    assert found.cold == 30, "35 % between two hosts looks like a regression"
    assert found.calibrated == 0


@pytest.mark.parametrize(
    ("hosts", "hours", "sentence"),
    [
        (1, 1, "lists 1 instances of baseline"),
        (2, 0.1, "windows of 120 s without a canary are too few"),
    ],
)
def test_too_little_to_learn_from_is_said(
    tmp_path: Path, hosts: int, hours: float, sentence: str
) -> None:
    source = Csv(points(tmp_path / "p.csv", hours, hosts=hosts), 5)
    with pytest.raises(SourceError, match=sentence):
        windows(RULES, source, Past("baseline", START, START + 3600))


def test_the_command_writes_what_it_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    canary, world = Shell(tmp_path, monkeypatch, capsys), World()
    monkeypatch.setattr("canary.cli.rehearse.state_of", lambda _: world.state)
    source = {"kind": "csv", "path": str(points(tmp_path / "p.csv", 1))}
    environment: dict[str, Any] = {**POLICY["environment"], "source": source}
    canary.policy.write_text(yaml.safe_dump({**POLICY, "environment": environment}))
    words = ("rehearse", "--env", "test", "--colour", "baseline", "--json")
    status, out, err = canary(*words, "--start", str(START), "--end", str(START + 3600))
    assert status == 0, err
    assert json.loads(out)["windows"] == 30
    learned = json.loads(Path(".run/test/calibration.json").read_text())
    assert learned["calibration"] == json.loads(out)["calibration"]
    assert learned["calibration"]["fingerprint"]["source"] == "csv"
