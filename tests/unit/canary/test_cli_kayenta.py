"""``canary import-kayenta``: a Kayenta configuration becomes a valid policy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from canary.policy import load_policy, parse_policy
from tests.unit.canary.cli_shell import Shell
from tests.unit.canary.kayenta_config import CONFIG


@pytest.fixture
def canary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    shell = Shell(tmp_path, monkeypatch, capsys)
    Path("config.json").write_text(json.dumps(CONFIG))
    return shell


def test_the_policy_goes_to_stdout_and_every_guess_to_stderr(canary: Shell) -> None:
    status, out, err = canary("import-kayenta", "config.json")
    assert status == 0
    latency, errors, cpu = parse_policy(out).metrics
    assert (latency.source, latency.critical, str(latency.limit)) == ("http_latency", True, "15%")
    assert (errors.kind, cpu.kind) == ("count", "gauge")
    assert err.splitlines() == [
        "p99 latency: kind quantile was guessed from the name. Check it.",
        "p99 latency: nanStrategy was left out: a missing value is never counted as 0.",
        "5xx errors: kind count was guessed from the name. Check it.",
        "5xx errors: mustHaveData was left out: missing data never passes.",
        "5xx errors: only its first group, Errors, was kept.",
        '5xx errors: its query was left out: {"type": "atlas", "q": "name,errors,:eq"}.',
        "cpu: effect size cles has no counterpart and was left out.",
        "cpu: kind gauge was guessed from the name. Check it.",
        'cpu: its query was left out: {"type": "atlas", "q": "name,cpu,:eq"}.',
        "scoreThresholds (pass 95, marginal 75) were left out: every critical metric must pass, "
        "and the score is only for display.",
    ]


def test_the_policy_can_go_to_a_file_which_is_valid(canary: Shell) -> None:
    status, out, err = canary("import-kayenta", "config.json", "-o", "policy.yml")
    assert (status, out) == (0, "")
    assert "canary check policy.yml" in err
    assert len(load_policy(Path("policy.yml")).metrics) == 3
    assert canary("check", "policy.yml")[0] == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"metrics: []", "canary: config.json is not JSON"),
        (b"{}", "config.json has no list of metrics"),
        (b"\xff", "config.json is not a text file"),
    ],
)
def test_what_is_no_configuration_is_refused(canary: Shell, content: bytes, sentence: str) -> None:
    Path("config.json").write_bytes(content)
    status, out, err = canary("import-kayenta", "config.json")
    assert (status, out) == (2, "")
    assert sentence in err


def test_a_file_that_is_missing_is_named(canary: Shell) -> None:
    status, _, err = canary("import-kayenta", "nowhere.json")
    assert status == 2
    assert "nowhere.json" in err
