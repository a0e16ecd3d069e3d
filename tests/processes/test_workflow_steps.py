"""Those scripts of the GitHub workflows that can run on this machine."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.app_servers import shop
from tests.support.github_workflows import run, step
from tests.support.paths import ROOT

pytestmark = [pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean clone like that of actions/checkout, without uncommitted changes."""
    place = tmp_path_factory.mktemp("checkout") / "repository"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(place)], check=True)
    return place


def test_a_plan_becomes_a_summary(checkout: Path, tmp_path: Path) -> None:
    variables = {
        "ACCOUNT": "beta",
        "ENVIRONMENT": "local",  # the same playbooks, without an account
        "LOCAL_CLOUD_BRIDGE": "absent0",
        "CART_CANARY_RUN": str(tmp_path / "run"),
        "ANSIBLE_FORCE_COLOR": "false",
    }
    planned = run(step("infrastructure.yml", "Plan"), checkout, variables)
    assert planned.returncode == 0, planned.stdout[-2_000:] + planned.stderr[-2_000:]
    shown = run(step("infrastructure.yml", "Show the plan"), checkout, variables)
    assert shown.returncode == 0, shown.stderr
    summary = (checkout / "github_step_summary").read_text(encoding="utf-8")
    assert summary.startswith("## Plan for beta\n~~~diff\n")
    assert "The local cloud is not running. It would be booted" in summary
    assert summary.endswith("~~~\n")


def test_a_plan_that_fails_fails_the_step(checkout: Path) -> None:
    done = run(step("infrastructure.yml", "Plan"), checkout, {"ENVIRONMENT": "nowhere"})
    assert done.returncode != 0


def test_an_artifact_is_named_by_its_commit(checkout: Path) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True
    ).stdout.strip()
    built = run(step("release.yml", "Build"), checkout, {"COMMIT": commit})
    assert built.returncode == 0, built.stderr
    release = json.loads((checkout / "dist/release.json").read_text(encoding="utf-8"))
    assert release["commit"] == commit
    assert (checkout / "dist" / f"{commit[:12]}.tar.gz").is_file()


def test_beta_is_asked_what_a_shopper_would_ask(checkout: Path, tmp_path: Path) -> None:
    asked = step("release.yml", "Run the acceptance tests")
    with shop(tmp_path) as server:
        done = run(asked, checkout, {"SHOP_URL": server.url})
    assert done.returncode == 0, done.stdout[-3_000:]
    assert run(asked, checkout, {"SHOP_URL": server.url}).returncode != 0, "nobody answers any more"
