"""The GitHub workflows are valid, pinned and have least privileges; the ruleset fits them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.github_workflows import (
    ACTIONS,
    GITHUB,
    WORKFLOWS,
    Step,
    jobs,
    load,
    run,
    step,
    steps,
)
from tests.support.paths import ROOT

PINNED = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}")
WRITES = {"id-token", "packages"}
JOBS = [pytest.param(path, name, job, id=f"{path.stem}-{name}") for path, name, job in jobs()]
MATRIX = "${{ matrix.account }}"
SCRIPTS = [pytest.param(each, id=str(each)) for each in steps() if each.script]


@pytest.mark.parametrize(("schema", "files"), [("workflows", WORKFLOWS), ("actions", ACTIONS)])
def test_the_schema_of_github_finds_nothing(schema: str, files: list[Path]) -> None:
    command = ["check-jsonschema", "--builtin-schema", f"vendor.github-{schema}", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_actions_are_pinned_by_commit_with_their_version_beside() -> None:
    for path in [*WORKFLOWS, *ACTIONS]:
        for line in path.read_text(encoding="utf-8").splitlines():
            if "uses:" not in line:
                continue
            used = line.split("uses:")[1].split("#")[0].strip()
            if used.startswith("./"):
                assert (ROOT / used / "action.yml").is_file(), line
            else:
                assert PINNED.fullmatch(used), line
                assert re.search(r"# v\d+\.\d+\.\d+$", line), line


@pytest.mark.parametrize(("path", "name", "job"), JOBS)
def test_a_job_ends_and_may_do_no_more_than_it_must(
    path: Path, name: str, job: dict[str, Any]
) -> None:
    workflow = load(path)
    assert "permissions" in workflow, "or it has the repository's default"
    assert 0 < job["timeout-minutes"] <= 120
    assert "concurrency" in job or "concurrency" in workflow, name
    for rights in (workflow["permissions"], job.get("permissions", {})):
        assert {right for right, kind in rights.items() if kind == "write"} <= WRITES
    speaks_to_aws = any("controller" in str(each.get("uses")) for each in job["steps"])
    assert speaks_to_aws == (job.get("permissions", {}).get("id-token") == "write")


def test_no_key_of_aws_is_kept_at_github() -> None:
    for path in [*WORKFLOWS, *ACTIONS]:
        text = path.read_text(encoding="utf-8")
        assert "secrets." not in text
        assert "access-key" not in text


@pytest.mark.parametrize("each", SCRIPTS)
def test_a_script_is_a_script_and_nobody_can_write_into_it(each: Step) -> None:
    assert each.script is not None
    assert "${{" not in each.script, "a branch name would be run; hand it over in env"
    assert "|| true" not in each.script
    subprocess.run(["bash", "-n", "-c", each.script], check=True)


def test_production_is_changed_by_one_at_a_time_and_only_from_main() -> None:
    infrastructure = load(GITHUB / "workflows/infrastructure.yml")["jobs"]
    release = load(GITHUB / "workflows/release.yml")
    apply, production = infrastructure["apply"], release["jobs"]["production"]
    assert apply["concurrency"] == {"group": MATRIX, "cancel-in-progress": False}
    assert production["concurrency"] == {"group": "production", "cancel-in-progress": False}
    assert "github.event_name == 'push'" in apply["if"]
    assert "github.ref == 'refs/heads/main'" in apply["if"]
    assert release["on"]["push"]["branches"] == ["main"]
    assert (production["needs"], production["environment"]) == ("beta", "production")


def test_every_account_that_is_released_to_is_provisioned_beta_first() -> None:
    infrastructure = load(GITHUB / "workflows/infrastructure.yml")["jobs"]
    release = load(GITHUB / "workflows/release.yml")["jobs"]
    released = {name: job for name, job in release.items() if "environment" in job}
    for name in ("plan", "apply"):
        assert infrastructure[name]["strategy"]["matrix"]["account"] == list(released)
    apply = infrastructure["apply"]
    assert (apply["strategy"]["max-parallel"], apply["strategy"]["fail-fast"]) == (1, True)
    assert apply["environment"] == f"infrastructure-{MATRIX}"
    for name, job in released.items():
        assert (job["environment"], job["concurrency"]["group"]) == (name, name)


def test_updates_are_scheduled_in_every_account_that_is_released_to_beta_first() -> None:
    updates = load(GITHUB / "workflows/updates.yml")
    release = load(GITHUB / "workflows/release.yml")["jobs"]
    weekly, monthly = (each["cron"] for each in updates["on"]["schedule"])
    assert (weekly.split()[4], monthly.split()[2]) == ("2", "1")
    assert f"github.event.schedule == '{monthly}'" in updates["env"]["WINDOW"]
    patch = updates["jobs"]["patch"]
    released = [name for name, job in release.items() if "environment" in job]
    assert patch["strategy"]["matrix"]["account"] == released
    assert (patch["strategy"]["max-parallel"], patch["strategy"]["fail-fast"]) == (1, True)
    assert patch["environment"] == MATRIX
    assert patch["concurrency"] == {"group": MATRIX, "cancel-in-progress": False}


def test_snapshots_are_taken_every_day_in_every_account_that_is_released_to() -> None:
    snapshots = load(GITHUB / "workflows/snapshots.yml")
    release = load(GITHUB / "workflows/release.yml")["jobs"]
    (daily,) = (each["cron"] for each in snapshots["on"]["schedule"])
    assert daily.split()[2:] == ["*", "*", "*"]
    taken = snapshots["jobs"]["snapshot"]
    released = [name for name, job in release.items() if "environment" in job]
    assert taken["strategy"]["matrix"]["account"] == released
    assert taken["strategy"]["fail-fast"] is False, "one account must not keep the other from it"
    assert taken["environment"] == f"snapshots-{MATRIX}"
    (controller,) = [each for each in taken["steps"] if "controller" in str(each.get("uses"))]
    assert "bucket" not in controller["with"], "it needs no keys"


@pytest.mark.parametrize(("window", "status"), [("true", 0), ("false", 2)])
def test_updates_fail_with_the_playbook_and_show_its_output(
    tmp_path: Path, window: str, status: int
) -> None:
    tools = program(tmp_path / "bin", "ansible-playbook", f'echo "$@"; exit {status}')
    variables = {"ENVIRONMENT": "aws", "WINDOW": window, "ACCOUNT": "beta"}
    done = run(step("updates.yml", "Patch"), tmp_path, variables, tools)
    assert done.returncode == status
    run(step("updates.yml", "Show what was done"), tmp_path, variables)
    shown = (tmp_path / "github_step_summary").read_text(encoding="utf-8")
    assert f"-i inventory/aws playbooks/patch.yml -e window={window}" in shown


def test_a_plan_downloads_no_keys() -> None:
    plan = load(GITHUB / "workflows/infrastructure.yml")["jobs"]["plan"]
    (controller,) = [step for step in plan["steps"] if "controller" in str(step.get("uses"))]
    assert "bucket" not in controller["with"]
    (download,) = [
        step
        for step in load(GITHUB / "actions/controller/action.yml")["runs"]["steps"]
        if "s3 sync" in str(step.get("run"))
    ]
    assert download["if"] == "inputs.bucket != ''"


def test_the_ruleset_asks_for_every_check_and_nobody_is_above_it() -> None:
    ruleset = json.loads((GITHUB / "rulesets/main.json").read_text(encoding="utf-8"))
    rules = {rule["type"]: rule.get("parameters", {}) for rule in ruleset["rules"]}
    assert ruleset["bypass_actors"] == []
    assert ruleset["enforcement"] == "active"
    assert rules["pull_request"]["required_approving_review_count"] == 1
    assert {"deletion", "non_fast_forward"} <= set(rules)
    ci = load(GITHUB / "workflows/ci.yml")["jobs"]
    matrix = ci["hosts"]["strategy"]["matrix"]["include"]
    checks = {"check", *(each["tests"] for each in matrix)}
    asked = {each["context"] for each in rules["required_status_checks"]["required_status_checks"]}
    assert asked == checks


def test_every_word_that_ci_makes_is_in_the_makefile() -> None:
    ci = load(GITHUB / "workflows/ci.yml")["jobs"]
    words = {each["words"] for each in ci["hosts"]["strategy"]["matrix"]["include"]}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in words | {"lint", "test-unit", "setup-dev"}:
        assert re.search(rf"^{word}:", makefile, re.MULTILINE), word


def program(directory: Path, name: str, script: str) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
    (directory / name).chmod(0o755)
    return directory


@pytest.mark.parametrize(
    ("kept", "status", "copies"), [("", 0, 1), ("f" * 64, 1, 0), ("SAME", 0, 0)]
)
def test_an_artifact_is_stored_once_and_never_replaced(
    tmp_path: Path, kept: str, status: int, copies: int
) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/abc.tar.gz").write_text("release", encoding="utf-8")
    done = subprocess.run(["sha256sum", tmp_path / "dist/abc.tar.gz"], capture_output=True)
    sha256 = done.stdout.decode().split()[0]
    release = {"file": "abc.tar.gz", "sha256": sha256, "commit": "c" * 40, "python": "3.11"}
    (tmp_path / "dist/release.json").write_text(json.dumps(release), encoding="utf-8")
    answer = f"echo {sha256 if kept == 'SAME' else kept}" if kept else "exit 254"
    tools = program(
        tmp_path / "bin",
        "aws",
        f'echo "$@" >> calls; case "$*" in *head-object*) {answer};; esac',
    )
    done_step = run(
        step("artifact/action.yml", "Upload the artifact"), tmp_path, {"BUCKET": "b"}, tools
    )
    calls = (tmp_path / "calls").read_text(encoding="utf-8")
    assert done_step.returncode == status, done_step.stderr
    assert calls.count("s3 cp") == copies
    if copies:
        assert f"--metadata sha256={sha256},commit={'c' * 40},python=3.11" in calls


@pytest.mark.parametrize("workflow", ["release.yml", "canary.yml"])
def test_a_verdict_is_shown_with_its_report(tmp_path: Path, workflow: str) -> None:
    (tmp_path / "canaries").mkdir()
    (tmp_path / "canaries/report.md").write_text("# The report\n", encoding="utf-8")
    outcome = {
        "verdict": "FAIL",
        "reason": "errors",
        "traffic": "went back",
        "directory": "canaries",
    }
    tools = program(tmp_path / "bin", "canary", f"echo '{json.dumps(outcome)}'; exit 1")
    variables = {"ENVIRONMENT": "aws", "COMMIT": "c", "GITHUB_REF_NAME": "v2"}
    variables["RUNNER_TEMP"] = str(tmp_path)
    asked = run(step(workflow, "Canary"), tmp_path, variables, tools)
    assert asked.returncode == 1
    run(step(workflow, "Show the verdict"), tmp_path, variables, tools)
    shown = (tmp_path / "github_step_summary").read_text(encoding="utf-8")
    assert shown == "## FAIL\n\nerrors\n\nwent back\n\n# The report\n"


@pytest.mark.parametrize("workflow", ["release.yml", "canary.yml"])
def test_a_canary_that_never_began_is_no_verdict(tmp_path: Path, workflow: str) -> None:
    (tmp_path / "outcome.json").touch()
    variables = {"RUNNER_TEMP": str(tmp_path)}
    assert run(step(workflow, "Show the verdict"), tmp_path, variables).returncode == 0
    shown = (tmp_path / "github_step_summary").read_text(encoding="utf-8")
    assert "did not start" in shown
