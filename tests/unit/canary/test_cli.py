"""The command: its help, exit statuses, errors without tracebacks, and documentation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from canary import cli
from canary.cli.documentation import document
from canary.cli.schema import full_schema
from canary.errors import Interruption, TrafficError
from canary.learned import Calibration, Fingerprint, dump_calibration
from canary.model import Verdict
from canary.rollout.context import Context
from tests.support.paths import ROOT
from tests.unit.canary.cli_shell import POLICY, Shell, shell
from tests.unit.canary.rollout_fakes import Troubles
from tests.unit.canary.rollout_world import World
from tests.unit.canary.test_environment import GOOD

canary = pytest.fixture(shell, name="canary")
QUERY = {"value": "sum by (instance) (rate(x[{period}]))"}


def commands() -> list[tuple[str, click.Command]]:
    root = click.Context(cli.cli)
    found = [(name, cli.cli.get_command(root, name)) for name in cli.cli.list_commands(root)]
    return [(name, command) for name, command in found if command is not None]


@pytest.mark.parametrize(("name", "command"), commands())
def test_every_command_explains_itself_and_ends_in_an_example(
    name: str, command: click.Command
) -> None:
    text = command.help or ""
    assert text.partition("Example:")[2].strip().startswith(f"canary {name}")


NO_RESULT = ("import-kayenta", "schema", "watch")
"""These commands write a file, or serve a page."""


@pytest.mark.parametrize(("name", "command"), commands())
def test_every_command_that_reports_speaks_json(name: str, command: click.Command) -> None:
    options = {option for parameter in command.params for option in parameter.opts}
    assert "--json" in options or "--format" in options or name in NO_RESULT


def test_the_documentation_is_what_the_commands_say() -> None:
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == document(), "python -m canary.cli.documentation > docs/cli.md"


def test_without_a_place_the_user_learns_which_there_are(canary: Shell) -> None:
    status, out, err = canary("status")
    assert (status, out) == (2, "")
    assert (
        "canary: Name the environment: --env NAME or --policy FILE (environments here: test)" in err
    )


def test_an_unknown_environment_brings_both_ways_to_make_it(canary: Shell) -> None:
    status, _, err = canary("status", "--env", "prod")
    assert status == 2
    assert "ansible-playbook -i inventory/prod site.yml" in err
    (command,) = [line.strip() for line in err.splitlines() if "canary init" in line]
    assert canary(*command.split()[1:])[0] == 0
    status, out, err = canary("check", ".run/prod/canary.yml")
    assert status == 0, err
    assert "Enough for: plan, analyze --csv, history, status, promote, rollback" in out
    assert "deploy, run\n" in out
    assert "Not enough for alarms. Missing: environment: state: alarm_table" in out
    assert "Not enough for analyze, rehearse. Missing: another environment: source" in out


def test_output_that_nobody_reads_is_no_verdict() -> None:
    """Click would exit with 1, which means FAIL."""
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "canary", "--help"]
    with os.fdopen(writer, "wb") as output:
        done = subprocess.run(words, stdout=output, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2, done.stderr


def test_a_run_names_its_release_or_only_observes(canary: Shell) -> None:
    status, _, err = canary("run", "--env", "test")
    assert status == 2
    assert "Name the release: --candidate REF. To install nothing: --observe" in err
    status, _, err = canary("run", "--env", "test", "--observe", "--candidate", "v2")
    assert status == 2
    assert "--observe installs nothing" in err


def test_a_misspelt_option_is_no_verdict(canary: Shell) -> None:
    status, _, err = canary("run", "--env", "test", "--candidat", "v2")
    assert status == 2
    assert "--candidat" in err


@pytest.mark.parametrize(
    ("environment", "command", "missing"),
    [
        (None, "run", ["environment: state", "environment: traffic", "environment: hooks"]),
        ({"hooks": None}, "run", ["environment: hooks"]),
        ({"hooks": None}, "rollback", []),
        ({"traffic": None}, "rollback", ["environment: traffic"]),
        ({"traffic": None}, "rehearse", []),
        ({"state": None}, "rehearse", ["environment: state"]),
        ({"state": None}, "history", ["environment: state"]),
        ({"state": None}, "analyze", []),
        ({"source": "proxy"}, "run", ["another environment: source for latency"]),
        (
            {"source": {"kind": "prometheus", "url": "http://p", "queries": {"x": QUERY}}},
            "run",
            ["environment: source: queries for latency"],
        ),
    ],
)
def test_check_says_what_a_policy_lacks_for_each_command(
    canary: Shell, environment: dict[str, Any] | None, command: str, missing: list[str]
) -> None:
    changed = {key: value for key, value in {**GOOD, **(environment or {})}.items() if value}
    document = {**POLICY, "environment": changed}
    if environment is None:
        del document["environment"]
    canary.policy.write_text(yaml.safe_dump(document))
    found = json.loads(canary("check", str(canary.policy), "--json")[1])["missing"][command]
    assert found[: len(missing)] == missing
    assert bool(found) == bool(missing)


def test_a_canary_uses_the_calibration_of_any_machine(
    canary: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = simulated(monkeypatch, World())
    known = Calibration(fingerprint=Fingerprint(5, "cloudwatch", 2, {"latency": "as ever"}))
    dump_calibration(known, canary.policy.parent / "elsewhere.json")
    body = (canary.policy.parent / "elsewhere.json").read_bytes()
    world.state.objects["calibration.json"] = body
    canary("run", "--env", "test", "--candidate", "v2")
    assert world.request.calibration == known
    assert (canary.policy.parent / "calibration.json").read_bytes() == body


def test_check_accepts_a_good_policy(canary: Shell) -> None:
    status, out, _ = canary("check", str(canary.policy))
    assert status == 0
    assert (
        "is valid: 1 metric, steps 20 %, 50 %, PASS after 1 min at the earliest, "
        "2 min at the longest"
    ) in out


SLOW = {"name": "slow", "kind": "latency", "source": "proxy.latency"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"alpah": 0.01}, "alpah is not a key"),
        ({"environment": {**GOOD, "name": "Test"}}, "environment: name is 'Test'"),
        (
            {"metrics": [{"name": "retries", "kind": "count", "source": "proxy.retry"}]},
            "the proxy does not measure proxy.retry; it has proxy.requests",
        ),
        ({"metrics": [{**SLOW, "kind": "count"}]}, "is the mean of a latency; write kind: latency"),
        ({"metrics": [{**SLOW, "unit": "s"}]}, "proxy.latency is in milliseconds; write unit: ms"),
        ({"metrics": [{**SLOW, "source": "proxy.errors"}]}, "write kind: count"),
    ],
)
def test_check_refuses_a_bad_policy_in_sentences(
    canary: Shell, change: dict[str, Any], sentence: str
) -> None:
    canary.policy.write_text(yaml.safe_dump({**POLICY, **change}))
    status, out, err = canary("check", str(canary.policy))
    assert (status, out) == (2, "")
    assert sentence in err
    assert "Traceback" not in err


def test_the_schema_knows_the_environment_too(canary: Shell) -> None:
    status, out, _ = canary("schema")
    assert status == 0
    assert json.loads(out) == full_schema()
    assert "live_parameter" in out


@pytest.mark.parametrize(
    ("verdict", "status"),
    [(Verdict.PASS, 0), (Verdict.FAIL, 1), (Verdict.INCONCLUSIVE, 3)],
)
def test_run_ends_with_its_verdicts_status(
    canary: Shell, monkeypatch: pytest.MonkeyPatch, verdict: Verdict, status: int
) -> None:
    world = simulated(monkeypatch, World(lambda _: verdict))
    found, out, err = canary("run", "--env", "test", "--candidate", "v2", "--json")
    assert found == status, err
    answer = json.loads(out)
    assert answer["verdict"] == verdict
    directory = Path(answer["directory"])
    names = {path.name for path in directory.iterdir()}
    assert {"outcome.json", "recording.json", "report.html", "policy.yml"} <= names
    assert [row.verdict for row in world.state.rows] == [verdict]
    assert f"canaries/{answer['canary']}/report.html" in world.state.objects
    assert len(world.state.said) == 1


def test_run_that_could_not_ends_with_2_and_keeps_what_it_knows(
    canary: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    lasting = ("traffic.status", 0, TrafficError("no route"))
    simulated(monkeypatch, World(troubles=Troubles(lasting=lasting)))
    status, out, _ = canary("run", "--env", "test", "--candidate", "v2")
    assert status == 2
    assert out.startswith("COULD NOT RUN: no route\nTraffic was not touched.\nFiles: ")


@pytest.mark.parametrize(
    "error", [RuntimeError("bug"), Interruption("SIGTERM"), KeyboardInterrupt()]
)
def test_nothing_but_a_verdict_ends_with_1(
    canary: Shell, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def broken(*_: object) -> Context:
        raise error

    simulated(monkeypatch, World())
    monkeypatch.setattr("canary.cli.release.context_of", broken)
    assert canary("run", "--env", "test", "--candidate", "v2")[0] == 2


def simulated(monkeypatch: pytest.MonkeyPatch, world: World) -> World:
    def context_of(*given: Any) -> Context:
        _, world.request, _, world.observer, *_ = given
        return world.context()

    monkeypatch.setattr("canary.cli.release.context_of", context_of)
    monkeypatch.setattr("canary.cli.common.state_of", lambda _: world.state)
    return world
