"""A/A tests on stored series: windows without canaries, false alarms, learned noise."""

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
from canary.judge.shrinkage import Worth
from canary.model import Arm, Recording
from canary.offline.rehearse import (
    Cutting,
    Past,
    Rehearsal,
    cutting_of,
    instances_of,
    rehearse,
    windows,
)
from canary.policy import Policy
from canary.sources.csv import Csv
from tests.unit.canary.cli_shell import POLICY, Shell
from tests.unit.canary.rollout_world import World

START = 1_700_000_000
RULES = Policy.model_validate({key: value for key, value in POLICY.items() if key != "environment"})


def points(path: Path, hours: float, *, offset: float = 0.0, hosts: int = 2) -> Path:
    """Write equal instances with a shared load, 2 % of noise each, and ``offset`` between them."""
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


def read(source: Csv, end: int, rules: Policy = RULES) -> tuple[tuple[Recording, ...], Cutting]:
    """Return the windows of all data from the start on."""
    past = Past("baseline", START, end)
    cutting = cutting_of(rules, instances_of(source, "baseline"), past)
    return windows(rules, source, past, cutting), cutting


def rehearsed(source: Csv, end: int, rules: Policy = RULES) -> Rehearsal:
    found, cutting = read(source, end, rules)
    return rehearse(rules, found, "csv", cutting.worth)


def test_windows_overlap_and_skip_canaries() -> None:
    past = Past("blue", START + 1, START + 1000, [(START + 300.5, START + 400.2)])
    assert list(past.stretches(5)) == [(START + 5, START + 300), (START + 405, START + 1000)]
    cutting = cutting_of(RULES, ("i-1", "i-2"), past)
    assert [start - START for start, _ in cutting.windows] == [5, 65, 125, *range(405, 871, 60)]
    assert cutting.length == 24
    assert cutting.worth == Worth(2 + 4, 1)  # windows of two minutes that do not overlap


def test_canaries_that_overlap_leave_no_stretch_twice() -> None:
    past = Past("blue", 0, 100, [(10, 60), (20, 30), (90, 200)])
    assert list(past.stretches(5)) == [(0, 10), (60, 90)]


def test_each_window_lets_one_instance_play_the_candidate(tmp_path: Path) -> None:
    source = Csv(points(tmp_path / "p.csv", 0.5, hosts=3), 5)
    found, cutting = read(source, START + 1800)
    assert len(found) == 29 * 3  # half an hour, a window each minute, three pairs
    assert cutting.worth == Worth(15 * 2, 2)  # three hosts are worth two pairs
    for recording in found[:3]:
        assert {series.arm for series in recording.series} == {Arm.BASELINE, Arm.CANDIDATE}
        assert {len(series.times) for series in recording.series} == {24}
        assert recording.baseline.instances != recording.candidate.instances


def test_a_short_past_is_cut_into_shorter_windows(tmp_path: Path) -> None:
    """The time is too short for two windows as long as the maximum."""
    longer = RULES.model_copy(update={"maximum": 3600, "minimum": 600})
    source = Csv(points(tmp_path / "p.csv", 1), 5)
    found, cutting = read(source, START + 3600, longer)
    assert cutting.length == 360
    assert len(found) == 3
    assert cutting.worth.windows == pytest.approx(1.0, abs=0.01)
    assert rehearsed(source, START + 3600, longer).calibration.metrics["latency"].windows == 1


def test_many_windows_are_thinned_evenly() -> None:
    past = Past("blue", 0, 10**7)
    cutting = cutting_of(RULES, tuple(f"i-{host}" for host in range(20)), past)
    assert len(cutting.windows) <= 400
    assert len({pair for _, pair in cutting.windows}) == 190
    assert cutting.windows[-1][0] > 0.98 * 10**7


def test_equal_instances_raise_no_alarm_and_teach_their_noise(tmp_path: Path) -> None:
    source = Csv(points(tmp_path / "p.csv", 1), 5)
    found = rehearsed(source, START + 3600)
    assert found.windows == 59
    assert found.calibrated == 0
    assert found.low == 0.0
    # exact interval of 0 in 59: 1 - 0.025 ** (1 / 59) = 0.0606
    assert found.high == pytest.approx(0.0606, abs=1e-4)
    assert found.calibration.metrics["latency"].windows == 30
    assert found.calibration.fingerprint == fingerprint_of(RULES, "csv", 2)
    assert "59 windows of equal instances: 0 false alarms" in found.sentence
    assert "worth 30 independent windows: what was measured counts 65 %" in found.sentence
    assert "measured on 2 hosts and counts 7.7 %" in found.sentence


def test_hosts_that_differ_are_learned_not_blamed(tmp_path: Path) -> None:
    source = Csv(points(tmp_path / "p.csv", 1, offset=0.3), 5)
    found = rehearsed(source, START + 3600)
    assert found.cold == 59, "35 % between two hosts looks like a regression"
    assert found.calibrated == 0


@pytest.mark.parametrize(
    ("hosts", "seconds", "sentence"),
    [
        (1, 3600, "lists 1 instances of baseline"),
        (2, 90, "time without a canary is 90 s; at least 2 min are needed"),
    ],
)
def test_too_little_to_learn_from_is_said(
    tmp_path: Path, hosts: int, seconds: int, sentence: str
) -> None:
    source = Csv(points(tmp_path / "p.csv", 1, hosts=hosts), 5)
    with pytest.raises(SourceError, match=sentence):
        read(source, START + seconds)


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
    assert "1 h without a canary, 2 instances: 59 windows of 2 min. This takes about" in err
    assert json.loads(out)["windows"] == 59
    learned = json.loads(Path(".run/test/calibration.json").read_text())
    assert learned["calibration"] == json.loads(out)["calibration"]
    assert learned["calibration"]["fingerprint"]["source"] == "csv"
