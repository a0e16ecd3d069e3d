"""``canary analyze`` judges a file, and ``canary replay`` repeats the verdict."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from canary.model import Recording, Release, Step
from canary.offline.analyze import covering
from canary.policy import parse_policy
from tests.unit.canary.cli_shell import POLICY, Shell

START = 1_800_000_000
PERIODS = 30


@pytest.fixture
def canary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    return Shell(tmp_path, monkeypatch, capsys)


def points(path: Path, factor: float) -> None:
    """Write a candidate whose latency is ``factor`` times the baseline's, with 1 % of noise."""
    noise = np.random.default_rng(20261121)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["time", "arm", "instance", "metric", "value", "samples", "spread"])
        for period in range(PERIODS):
            for arm, level in (("baseline", 20.0), ("candidate", 20.0 * factor)):
                value = level * np.exp(noise.normal(0, 0.01))
                time = START + 5 * period
                rows.writerow([time, arm, f"i-{arm}", "latency", value, 500, 0.5])


@pytest.mark.parametrize(("factor", "verdict", "status"), [(1.5, "FAIL", 1), (0.98, "PASS", 0)])
def test_a_file_is_judged_and_replayed_to_the_same_verdict(
    canary: Shell, factor: float, verdict: str, status: int
) -> None:
    points(Path("points.csv"), factor)
    Path("canary").mkdir()
    words = ("--policy", str(canary.policy), "--csv", "points.csv", "--json")
    found, out, err = canary("analyze", *words, "--record", "canary/recording.json")
    assert found == status, err
    first = json.loads(out)
    assert f'"{verdict}"' in out
    canary.policy.rename("canary/policy.yml")
    found, out, _ = canary("replay", "canary/recording.json", "--json", "--html", "r.html")
    assert found == status
    assert json.loads(out) == first, "bit for bit"
    assert Path("r.html").read_text().startswith("<!")


def test_a_window_longer_than_the_maximum_is_judged_to_its_end(canary: Shell) -> None:
    """The maximum is 120 s, and the data covers 150 s."""
    points(Path("points.csv"), 0.98)
    words = ("--policy", str(canary.policy), "--csv", "points.csv", "--json")
    outs = [canary("analyze", *words, "--record", "recording.json")[1]]
    outs += [canary("replay", "recording.json", "--policy", str(canary.policy), "--json")[1]]
    judged = [json.loads(out)["judgements"][-1]["findings"][0]["periods"] for out in outs]
    assert judged == [(5 * PERIODS - POLICY["warmup"]) // 5] * 2


def test_a_canary_whose_last_look_is_late_keeps_its_maximum() -> None:
    asked = parse_policy(yaml.safe_dump({**POLICY, "environment": None}))
    looks = (START + 110, START + 115, START + 300)
    blue, green = (Release(arm, "", arm, (arm,)) for arm in ("blue", "green"))
    step = Step(START, 0.5, 0.5, equal_footing=True)
    recording = Recording("test", 5, blue, green, (step,), (), looks)
    assert covering(asked, recording) == asked
    window = replace(recording, looks=(*looks[:2], START + 120, START + 300))
    assert covering(asked, window).maximum == 300


def test_another_policy_may_say_something_else(canary: Shell) -> None:
    points(Path("points.csv"), 1.5)
    words = ("--policy", str(canary.policy), "--csv", "points.csv")
    canary("analyze", *words, "--record", "recording.json")
    lenient = {**POLICY, "metrics": [{**POLICY["metrics"][0], "margin": "x3"}]}
    Path("lenient.yml").write_text(yaml.safe_dump(lenient))
    assert canary("replay", "recording.json", "--policy", "lenient.yml")[0] in (0, 1, 3)


def test_a_recording_without_its_policy_says_what_to_type(canary: Shell) -> None:
    Path("recording.json").write_text("{}")
    status, _, err = canary("replay", "recording.json")
    assert status == 2
    assert "There is no policy.yml; name the policy: --policy FILE" in err


def test_without_a_source_it_says_what_to_name(canary: Shell) -> None:
    document = {key: value for key, value in POLICY.items() if key != "environment"}
    canary.policy.write_text(yaml.safe_dump(document))
    status, _, err = canary("analyze", "--policy", str(canary.policy), "--start", "-30m")
    assert status == 2
    assert "names no source of metrics. Judge a file: --csv" in err
    assert "canary analyze" not in err, "the command that was just typed is no advice"


def test_data_inside_the_warm_up_are_not_judged(canary: Shell) -> None:
    canary.policy.write_text(yaml.safe_dump({**POLICY, "warmup": 600, "maximum": 3600}))
    points(Path("points.csv"), 1.0)
    status, _, err = canary("analyze", "--policy", str(canary.policy), "--csv", "points.csv")
    assert status == 2
    assert "The data end within the warm-up of 600 s" in err


def test_a_file_of_other_metrics_is_no_evidence(canary: Shell) -> None:
    points(Path("points.csv"), 1.0)
    metrics = [{"name": "cpu", "kind": "gauge"}]
    canary.policy.write_text(yaml.safe_dump({**POLICY, "metrics": metrics}))
    status, _, err = canary("analyze", "--policy", str(canary.policy), "--csv", "points.csv")
    assert status == 2
    assert "it holds latency, the policy asks for cpu. Use the same names" in " ".join(err.split())


def test_a_file_without_an_arm_is_no_evidence(canary: Shell) -> None:
    points(Path("points.csv"), 1.0)
    kept = [line for line in Path("points.csv").read_text().split("\n") if "candidate" not in line]
    Path("points.csv").write_text("\n".join(kept))
    status, _, err = canary("analyze", "--policy", str(canary.policy), "--csv", "points.csv")
    assert status == 2
    assert "has no row of the candidate in this window" in " ".join(err.split())


@pytest.mark.parametrize(
    ("moment", "sentence"),
    [("yesterday", "is not a time"), ("2026-11-21T10:00", "names no time zone")],
)
def test_a_moment_that_is_none_is_refused(canary: Shell, moment: str, sentence: str) -> None:
    status, _, err = canary("analyze", "--env", "test", "--start", moment)
    assert status == 2
    assert sentence in " ".join(err.split())


def test_a_metric_that_the_file_calls_otherwise_is_told(canary: Shell) -> None:
    """Otherwise the reason speaks only of a metric that is reported nowhere."""
    points(Path("points.csv"), 1.0)
    text = Path("points.csv").read_text()
    rows = text + "".join(
        f"{START + 5 * period},{arm},i-{arm},http_5xx,1,500,\n"
        for period in range(PERIODS)
        for arm in ("baseline", "candidate")
    )
    Path("points.csv").write_text(rows)
    more = yaml.safe_load(canary.policy.read_text())
    more["metrics"].append({"name": "errors", "kind": "count"})
    canary.policy.write_text(yaml.safe_dump(more))
    _, _, err = canary("analyze", "--policy", str(canary.policy), "--csv", "points.csv")
    assert "no row holds errors of the policy. The file also holds http_5xx" in err
