"""``canary plan``: the harm that a canary will find, before it runs."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from canary.evidence.fingerprint import fingerprint_of
from canary.learned import Calibration, Learned, MeasuredNoise, dump_calibration
from canary.policy import load_policy
from canary.recording import dump_recording
from tests.unit.canary.cli_shell import POLICY, Shell
from tests.unit.canary.verdict_recordings import healthy

SVG = "{http://www.w3.org/2000/svg}"
METRICS = [
    {"name": "latency", "kind": "latency"},
    {"name": "errors", "kind": "count", "per": "requests"},
]


@pytest.fixture
def canary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    shell = Shell(tmp_path, monkeypatch, capsys)
    shell.policy.write_text(
        yaml.safe_dump({**POLICY, "steps": [0.5], "maximum": "30m", "metrics": METRICS})
    )
    return shell


def test_a_plan_says_harm_time_and_cost_and_draws_a_picture(canary: Shell) -> None:
    words = ("--env", "test", "--rate", "50", "--events", "errors=0.5%", "--plot", "plan.svg")
    status, out, err = canary("plan", *words)
    assert (status, err.strip()) == (0, "Planning")
    assert "With 50 requests per second on 1 + 1 instances:" in out, "every rate is given"
    assert "is found within 30 min" in out
    assert "CloudWatch costs about $" in out
    assert "With a lead-in of 10 min 10 s" in out
    assert "canary rehearse" in out, "nothing was learned yet"
    picture = ElementTree.fromstring(Path("plan.svg").read_text())  # noqa: S314 - our own
    labels = {text.text for text in picture.iter(f"{SVG}text")}
    assert {"latency", "errors", "30 min"} <= labels
    painted = [path.get("class") for path in picture.iter(f"{SVG}path")]
    assert painted.count("margin") == 2
    assert painted.count("curve") == 4, "two curves, and a key for each"


def test_a_plan_names_the_events_that_it_assumes(canary: Shell) -> None:
    _, out, _ = canary("plan", "--env", "test", "--rate", "50")
    assert "assuming errors at 1 % of the requests each (yours" in out
    assert "--events errors=0.1%" in out


QUERIES = {name: {"value": f"{name}[{{period}}]"} for name in ("latency", "errors")}


@pytest.mark.parametrize(
    "source", ["proxy", {"kind": "prometheus", "url": "http://p:9090", "queries": QUERIES}]
)
def test_no_user_of_another_source_is_told_what_cloudwatch_costs(
    canary: Shell, source: str | dict[str, object]
) -> None:
    document = yaml.safe_load(canary.policy.read_text())
    document["environment"] |= {"source": source}
    canary.policy.write_text(yaml.safe_dump(document))
    words = ("plan", "--env", "test", "--rate", "50")
    status, out, _ = canary(*words)
    assert status == 0
    assert "CloudWatch" not in out
    assert json.loads(canary(*words, "--json")[1])["cost"] is None


def test_little_traffic_gets_a_policy_of_hours_in_one_sentence(canary: Shell) -> None:
    words = ("plan", "--env", "test", "--rate", "5", "--low-traffic", "low.yml")
    status, out, _ = canary(*words)
    assert status == 0
    sentence = next(line for line in out.splitlines() if line.startswith("With 5 requests per sec"))
    for part in (
        "judge for hours: period: 5m",
        "minimum: 1h, maximum: 8h, steps: [50%]",
        "latency margin: 10%",
        "errors negligible: 0.5% (2,160 more events a day)",
        "a catastrophe still fails after 15 min",
    ):
        assert part in sentence or part in out
    low = load_policy("low.yml")
    assert (low.period, low.maximum, low.steps) == (300, 8 * 3600, (0.5,))
    assert [str(metric.limit) for metric in low.metrics] == ["10%", "50%"]
    assert low.metrics[1].negligible_rate == 0.005
    assert low.environment is not None


def test_enough_traffic_gets_no_policy_for_little(canary: Shell) -> None:
    words = ("plan", "--env", "test", "--rate", "50")
    assert json.loads(canary(*words, "--json")[1])["low_traffic"] is None
    status, _, err = canary(*words, "--low-traffic", "low.yml")
    assert status == 2
    assert "50 requests per second are not few" in err
    assert not Path("low.yml").exists()


def reach(canary: Shell, *words: str) -> list[float]:
    status, out, _ = canary("plan", "--env", "test", "--json", *words)
    assert status == 0
    return [metric["reachable"] for metric in json.loads(out)["metrics"]]


def test_more_traffic_shows_smaller_harm(canary: Shell) -> None:
    few, many = reach(canary, "--rate", "5"), reach(canary, "--rate", "500")
    assert all(a > b for a, b in zip(few, many, strict=True))


def test_traffic_comes_from_a_recording(canary: Shell) -> None:
    dump_recording(healthy(), Path("recording.json"))
    _, out, _ = canary("plan", "--env", "test", "--recording", "recording.json", "--json")
    traffic = json.loads(out)["traffic"]
    assert traffic["rate"] == pytest.approx(100, rel=0.2)
    assert traffic["instances"] == [2, 2]


def test_learned_noise_is_used(canary: Shell) -> None:
    calm = MeasuredNoise(0.001, 0.001, 0.001)
    before = reach(canary, "--rate", "50")
    here = fingerprint_of(load_policy(canary.policy), "cloudwatch", 2)
    learned = Calibration({"latency": Learned(100, calm, calm)}, here)
    dump_calibration(learned, canary.policy.parent / "calibration.json")
    after = reach(canary, "--rate", "50")
    assert after[0] < before[0]
    assert after[1] == before[1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Give the traffic: --rate 50, or --recording FILE"),
        (("--rate", "50", "--events", "errors"), "is not METRIC=SHARE of the requests"),
        (("--rate", "50", "--events", "errors=50"), "0 to 1 or 0% to 100%; write errors=0.5%"),
        (("--rate", "50", "--events", "errors=nan"), "is not METRIC=SHARE of the requests"),
        (("--rate", "50", "--events", "typo=1%"), "the policy's counts are: errors"),
        (("--rate", "0"), "0"),
    ],
)
def test_bad_input_gets_a_sentence(canary: Shell, words: tuple[str, ...], sentence: str) -> None:
    status, out, err = canary("plan", "--env", "test", *words)
    assert (status, out) == (2, "")
    assert sentence in err


def test_a_broken_calibration_says_what_to_type(canary: Shell) -> None:
    (canary.policy.parent / "calibration.json").write_text("{")
    status, _, err = canary("plan", "--env", "test", "--rate", "50")
    assert status == 2
    assert "Remove it, or write it again: canary rehearse --env test" in err
