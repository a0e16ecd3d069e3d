"""Calibrations: their file and their fingerprint, which prevents a use elsewhere."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.errors import CalibrationError
from canary.evidence.fingerprint import fingerprint_of, usable
from canary.learned import (
    Calibration,
    Learned,
    MeasuredNoise,
    dump_calibration,
    load_calibration,
)
from canary.policy import Policy, load_policy, parse_policy
from canary.recording import load_recording
from tests.unit.canary.cli_shell import Shell
from tests.unit.canary.rollout_fakes import POLICY as RULES
from tests.unit.canary.rollout_world import World, go
from tests.unit.canary.test_cli_analysis import points

NOISE = MeasuredNoise(tau=0.1 + 0.2, phi=0.3, host=0.01)
LEARNED = Learned(30, NOISE, replace(NOISE, arm_clip=1.0), {"window": ((22, 1.2), (30, 1.4))})
METRICS = """
version: 1
metrics:
- {name: latency, kind: quantile, statistic: p90}
- {name: memory, kind: level, margin: 4 points}
"""
HERE = fingerprint_of(parse_policy(METRICS), "cloudwatch", 2)
KNOWN = Calibration({"latency": LEARNED, "memory": LEARNED}, HERE)


@pytest.fixture
def canary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    return Shell(tmp_path, monkeypatch, capsys)


def test_a_calibration_reads_back_equal_and_never_changes(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    dump_calibration(KNOWN, path)
    assert load_calibration(path) == KNOWN
    with pytest.raises(FrozenInstanceError):
        KNOWN.metrics = {}  # type: ignore[misc]


def test_without_a_file_nothing_is_known(tmp_path: Path) -> None:
    assert load_calibration(tmp_path / "none.json") == Calibration()


OLD = {"latency": {"phi": 0.1}}


def without(*keys: str) -> dict[str, Any]:
    """Return a calibration's file without one of its keys."""
    document = written()
    found = document
    for key in keys[:-1]:
        found = found[key]
    del found[keys[-1]]
    return document


def written(**changes: Any) -> dict[str, Any]:
    noise = {"tau": 0.1, "phi": 0.3, "host": 0.01}
    learned = {"windows": 8, "noise": noise, "rough": dict(noise), **changes}
    return {"version": 1, "calibration": {"metrics": {"latency": learned}, "fingerprint": None}}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "cannot be read"),
        ("{", "cannot be read"),
        ("[1]", "is not a calibration"),
        (json.dumps(OLD), "is not a calibration, or was written by an earlier version of canary"),
        (json.dumps(written() | {"version": 7}), "has version 7, not 1"),
        (
            json.dumps(without("calibration", "metrics", "latency", "noise", "tau")),
            "metrics.latency.noise.tau: field required",
        ),
        (json.dumps(written(windows=-1)), "metrics.latency.windows"),
        (json.dumps(written(typo=1)), "metrics.latency.typo"),
        (json.dumps(written(kappa={"window": [[4, 1.0], [4, 1.1]]})), "window does not ascend"),
        (json.dumps(written(kappa={"window": []})), "window does not ascend"),
        (json.dumps(written(kappa={"window": [[4, 0.0]]})), "greater than or equal to 1"),
        (json.dumps(written(dense=float("nan"))), "metrics.latency.dense"),
    ],
)
def test_a_damaged_or_foreign_file_is_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    check_refused(tmp_path, text, sentence)


def check_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "shop" / "calibration.json"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(CalibrationError) as caught:
        load_calibration(path)
    assert sentence in str(caught.value)
    assert "canary rehearse --env shop" in str(caught.value)


@settings(max_examples=200)
@given(st.data())
def test_no_damage_is_anything_but_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "calibration.json"
    dump_calibration(KNOWN, path)
    text = path.read_text()
    at = data.draw(st.integers(0, len(text) - 1))
    length = data.draw(st.integers(0, 40))
    put = data.draw(st.sampled_from(["", "null", "{}", "[]", '"x"', "-1", "1e999", "NaN"]))
    path.write_text(text[:at] + put + text[at + length :])
    try:
        found = load_calibration(path)
    except CalibrationError:
        return
    usable(found, HERE)


def test_where_it_was_learned_it_is_used() -> None:
    assert usable(KNOWN, HERE) == (KNOWN, ())
    assert usable(KNOWN, replace(HERE, hosts=None)) == (KNOWN, ())
    assert usable(KNOWN, replace(HERE, hosts=4)) == (KNOWN, ()), "sizes are allowed for instead"
    assert usable(Calibration(), HERE) == (Calibration(), ())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"period": 5}, "learned with 60 s periods, and this environment has 5 s periods"),
        ({"source": "prometheus"}, "learned with cloudwatch, and this environment has prometheus"),
    ],
)
def test_elsewhere_it_is_not_used_and_that_is_told(change: dict[str, Any], words: str) -> None:
    found, warnings = usable(KNOWN, replace(HERE, **change))
    assert found == Calibration()
    assert len(warnings) == 1
    assert words in warnings[0]
    assert "canary rehearse" in warnings[0]


def test_one_that_does_not_say_where_it_was_learned_is_not_used() -> None:
    found, warnings = usable(replace(KNOWN, fingerprint=None), HERE)
    assert (found, len(warnings)) == (Calibration(), 1)


@pytest.mark.parametrize(
    "old",
    ["kind: quantile, statistic: p90", "kind: level, margin: 4 points"],
)
@pytest.mark.parametrize(
    "new",
    ["kind: quantile, statistic: p99", "kind: level, margin: 20%", "kind: gauge, source: other"],
)
def test_a_metric_that_is_measured_otherwise_is_left_out(old: str, new: str) -> None:
    name = "latency" if "quantile" in old else "memory"
    here = fingerprint_of(parse_policy(METRICS.replace(old, new)), "cloudwatch", 2)
    found, warnings = usable(KNOWN, here)
    assert set(found.metrics) == {"latency", "memory"} - {name}
    assert warnings[0].startswith(f"The calibration of {name} is not used: it was learned as ")


def test_margins_and_limits_do_not_touch_what_was_learned() -> None:
    other = parse_policy(METRICS.replace("p90}", "p90, margin: 30%, critical: false}"))
    assert usable(KNOWN, fingerprint_of(other, "cloudwatch", 2)) == (KNOWN, ())


def learn(canary: Shell, policy: Policy, source: str, hosts: int, tau: float = 0.3) -> None:
    """Write a calibration to the place where the commands read it."""
    learned = replace(LEARNED, noise=replace(NOISE, tau=tau), rough=replace(NOISE, tau=tau))
    here = fingerprint_of(policy, source, hosts)
    dump_calibration(
        Calibration({"latency": learned}, here), canary.policy.parent / "calibration.json"
    )


@pytest.mark.parametrize("text", ["{", json.dumps(OLD)])
@pytest.mark.parametrize(
    "words",
    [
        ("run", "--candidate", "v2"),
        ("plan", "--rate", "50"),
        ("analyze", "--csv", "points.csv"),
    ],
)
def test_every_command_refuses_a_damaged_calibration_before_it_does_anything(
    canary: Shell, words: tuple[str, ...], text: str
) -> None:
    """``{"latency": {"phi": 0.1}}`` must not end a canary with KeyError after its deployment."""
    points(Path("points.csv"), 1.0)
    (canary.policy.parent / "calibration.json").write_text(text)
    status, out, err = canary(*words, "--env", "test")
    assert (status, out) == (2, "")
    assert "canary rehearse --env test" in err
    assert "Traceback" not in err
    assert not (canary.policy.parent / "canaries").exists()


def test_analyze_uses_what_was_learned_of_the_same_source(canary: Shell) -> None:
    points(Path("points.csv"), 1.0)
    words = ("analyze", "--env", "test", "--csv", "points.csv", "--record", "kept.json")
    learn(canary, load_policy(canary.policy), "csv", 1)
    _, _, err = canary(*words)
    assert "Warning" not in err
    assert load_recording("kept.json").calibration.metrics["latency"].noise.tau == 0.3
    learn(canary, load_policy(canary.policy), "cloudwatch", 1)
    _, _, err = canary(*words)
    assert "Warning: The calibration is not used: it was learned with cloudwatch" in err
    assert load_recording("kept.json").calibration == Calibration()


def test_plan_tells_why_it_does_not_use_what_was_learned(canary: Shell) -> None:
    learn(canary, load_policy(canary.policy), "prometheus", 1)
    slow = yaml.safe_load(canary.policy.read_text()) | {"period": 10}
    canary.policy.write_text(yaml.safe_dump(slow))
    status, out, err = canary("plan", "--env", "test", "--rate", "50")
    assert status == 0
    assert "learned with 5 s periods and prometheus" in err
    assert "this environment has 10 s periods and cloudwatch" in err
    assert "Noise: cautious defaults" in out


def test_a_canary_uses_what_was_learned_here_and_warns_of_what_was_not() -> None:
    here = fingerprint_of(RULES, "csv", 1)
    known = Calibration({RULES.metrics[0].name: LEARNED}, here)
    fitting = World(calibration=known, source="csv")
    recording = go(fitting).recording
    assert recording is not None
    assert recording.calibration == known
    foreign = World(calibration=known, source="prometheus")
    outcome = go(foreign)
    assert outcome.recording is not None
    assert outcome.recording.calibration == Calibration()
    assert "learned with csv, and this environment has prometheus" in outcome.warnings[0]
    kinds = [event.kind for event in foreign.events]
    assert kinds.index("warning") < kinds.index("hook"), "before anything is deployed"
