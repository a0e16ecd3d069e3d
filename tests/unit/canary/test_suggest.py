"""``canary suggest``: a policy from history, with reasons, measured before it is proposed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from canary.cli import past
from canary.policy import load_policy
from canary.sources.csv import Csv
from tests.unit.canary.cli_shell import POLICY, Shell, shell
from tests.unit.canary.rollout_world import World

canary = pytest.fixture(shell, name="canary")
START, PERIOD, REQUESTS = 1_700_000_000, 5, 400
HEADER = ["time", "arm", "instance", "metric", "value", "samples", "spread"]
SUGGEST = ("suggest", "--csv", "history.csv", "--within", "2m")
WRITTEN = Path(".run/history/suggested.yml")


def history(
    file: Path,
    windows: int = 24,
    *,
    arms: tuple[str, ...] = ("baseline", "baseline"),
    slower: float = 1.0,
    since: float = 0.0,
    seed: int = 1,
) -> Path:
    """Write windows of two minutes. In the last part, the second instance is ``slower``."""
    chance = np.random.default_rng(seed)
    with file.open("w", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerow(HEADER)
        for at in range(windows * 24):
            shared = np.exp(chance.normal(0, 0.1))
            for host, arm in enumerate(arms):
                worse = slower if host == 1 and at >= since * windows * 24 else 1.0
                latency = 0.3 * shared * worse * np.exp(chance.normal(0, 0.03))
                own = [START + at * PERIOD, arm, f"i-{host}"]
                rows.writerow([*own, "latency_seconds", f"{latency:.5f}", REQUESTS, 0.6])
                rows.writerow([*own, "errors", chance.binomial(REQUESTS, 0.01), REQUESTS, ""])
                rows.writerow([*own, "threads", 8, "", ""])
    return file


def test_it_proposes_what_it_measured(canary: Shell, tmp_path: Path) -> None:
    history(tmp_path / "history.csv")
    status, out, err = canary(*SUGGEST)
    assert status == 0, err
    assert "0 of 12 independent windows of 2 min of equal instances ended with FAIL" in out
    assert "at most 22 % are false alarms" in out  # 1 - 0.05 ** (1 / 12) = 0.221
    assert "Left out: threads. Its value never changes: it is always 8." in out
    policy = load_policy(WRITTEN)
    assert [(metric.name, metric.kind) for metric in policy.metrics] == [
        ("errors", "count"),
        ("latency_seconds", "latency"),
    ]
    assert (policy.period, policy.maximum) == (PERIOD, 120)
    assert policy.metrics[1].unit == "s"
    text = " ".join(WRITTEN.read_text().replace("#", "").split())
    assert "Counts failures, as its name says; judged per request. errors: a rise to" in text
    assert "Left out: - threads: Its value never changes" in text
    assert canary("check", str(WRITTEN))[0] == 0


def test_what_it_proposes_judges_a_good_and_a_bad_release(canary: Shell, tmp_path: Path) -> None:
    history(tmp_path / "history.csv")
    assert canary(*SUGGEST)[0] == 0
    assert Path(".run/history/calibration.json").is_file()
    margin = load_policy(WRITTEN).metrics[1].limit.value
    arms = ("baseline", "candidate")
    for slower, verdict in ((1.0, 0), (1 + 2 * margin, 1)):
        history(tmp_path / "new.csv", 1, arms=arms, slower=slower, seed=9)
        judged = canary("analyze", "--policy", str(WRITTEN), "--csv", "new.csv")
        assert judged[0] == verdict, judged


def test_json_holds_the_metrics_and_what_was_measured(canary: Shell, tmp_path: Path) -> None:
    history(tmp_path / "history.csv")
    status, out, _ = canary(*SUGGEST, "--output", "new/policy.yml", "--json")
    told = json.loads(out)
    assert status == 0
    assert told["file"] == "new/policy.yml"
    assert (told["windows"], told["false_alarms"]) == (12, 0)
    assert told["false_alarms_at_most"] == pytest.approx(1 - 0.05 ** (1 / 12))
    assert [one["name"] for one in told["left_out"]] == ["threads"]
    assert all(one["harms_found"] >= 11 for one in told["metrics"])


def test_instances_that_stop_being_equal_are_no_base_for_a_policy(
    canary: Shell, tmp_path: Path
) -> None:
    """In the second half, from which no margin is chosen, one instance is three times as slow."""
    history(tmp_path / "history.csv", slower=3.0, since=0.5)
    status, out, _ = canary(*SUGGEST)
    assert status == 1
    assert "Nothing was written: surely more than" in out
    assert "Alarms by metric: latency_seconds " in out
    assert "To leave one out: --without latency_seconds" in out
    assert not WRITTEN.exists()
    assert canary(*SUGGEST, "--without", "latency_seconds")[0] == 0
    assert [metric.name for metric in load_policy(WRITTEN).metrics] == ["errors"]


def test_a_time_without_data_is_no_window_without_alarm(canary: Shell, tmp_path: Path) -> None:
    """Half of the second half of the history is missing, so 6 windows are measured, not 12."""
    file = history(tmp_path / "history.csv")
    gone = range(START + 18 * 120, START + 24 * 120 - 5)
    kept = [line for line in file.read_text().splitlines() if not _within(line, gone)]
    file.write_text("\n".join(kept) + "\n")
    status, out, _ = canary(*SUGGEST, "--json")
    assert status == 0
    assert json.loads(out)["windows"] == 6


def test_instances_that_never_ran_together_are_no_history(canary: Shell, tmp_path: Path) -> None:
    file = history(tmp_path / "history.csv", 8)
    gone = range(START + 4 * 120, START + 8 * 120)
    lines = file.read_text().splitlines()
    file.write_text(
        "\n".join(line for line in lines if "i-1" not in line or not _within(line, gone)) + "\n"
    )
    status, _, err = canary(*SUGGEST)
    assert status == 2
    assert "did both halves of the instances report" in err


def _within(line: str, times: range) -> bool:
    time = line.split(",", 1)[0]
    return time.isdecimal() and int(time) in times


def test_a_file_that_exists_is_replaced_only_when_asked(canary: Shell, tmp_path: Path) -> None:
    history(tmp_path / "history.csv", 8)
    WRITTEN.parent.mkdir(parents=True)
    WRITTEN.write_text("mine")
    assert f"{WRITTEN} exists, and was not changed" in canary(*SUGGEST)[2]
    assert WRITTEN.read_text() == "mine"
    assert canary(*SUGGEST, "--force")[0] == 0
    assert load_policy(WRITTEN).maximum == 120


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--within", "10m"), "takes 40 min: two windows to choose margins by"),
        (("--within", "10m"), "Use --within 4m, or an earlier --start"),
        (("--within", "50s"), "a canary needs 11. Give it more time: --within 55s"),
        (("--colour", "blue"), "A CSV file has no colours"),
        (("--without", "erors"), "--without names erors; the metrics are: errors, latency_seconds"),
        (("--env", "test"), "leave out --env and --policy"),
        (("--csv", "none.csv"), "none.csv can't be read as CSV"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    canary: Shell, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    history(tmp_path / "history.csv", 8)
    status, _, err = canary(*SUGGEST, *words)
    assert status == 2
    assert told in err
    assert "Traceback" not in err


def test_a_history_without_a_usable_metric_lists_the_reasons(canary: Shell, tmp_path: Path) -> None:
    rows = [(START + 5 * at, host) for at in range(200) for host in ("a", "b")]
    lines = [f"{time},baseline,{host},threads,8" for time, host in rows]
    lines += [f"{time},baseline,a,latency,{time % 7 + 1}" for time, _ in rows[::2]]
    head = ",".join(HEADER[:5])
    (tmp_path / "history.csv").write_text("\n".join([head, *lines]) + "\n")
    status, _, err = canary(*SUGGEST)
    assert status == 2
    assert "No metric of this history that users would notice can be judged:" in err
    assert "- latency: 1 instance reported it; a comparison needs two" in err
    assert "- threads: Its value never changes: it is always 8" in err


def test_an_environment_keeps_its_kinds_its_counters_and_its_connection(
    canary: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history(tmp_path / "history.csv", 8)
    monkeypatch.setattr(past, "past_of", lambda *_: Csv(tmp_path / "history.csv", PERIOD))
    given = [
        {"name": "errors", "kind": "count", "margin": "x3", "group": "users"},
        {"name": "retries", "kind": "count", "source": "proxy.retries"},
    ]
    monkeypatch.setattr(past, "state_of", lambda _: World().state)
    document = {**POLICY, "period": "5s", "metrics": given, "alpha": "2%"}
    canary.policy.write_text(yaml.safe_dump(document))
    when = ("--start", str(START), "--end", str(START + 960), "--colour", "baseline")
    status, _, err = canary("suggest", "--env", "test", "--within", "2m", *when)
    assert status == 0, err
    policy = load_policy(Path(".run/test/suggested.yml"))
    assert [metric.name for metric in policy.metrics] == ["errors", "latency_seconds", "retries"]
    assert policy.metrics[0].group == "users"
    assert str(policy.metrics[0].limit) != "200%", "its margin is proposed anew"
    assert policy.metrics[2].counter == "retries"
    assert policy.environment == load_policy(canary.policy).environment
    assert policy.alpha == 0.02
