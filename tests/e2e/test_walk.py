"""The commands of the README and the tutorial work as written."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.walk import Command, Instead, Told, clone, commands, walk
from tests.support.paths import ROOT
from tests.support.releases import git

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]
README, TUTORIAL = "README.md", "docs/tutorial.md"
ACCOUNT = "it needs an account of AWS"
OWN_APP = "it needs an app of one's own; tests/processes/test_own_app.py runs it with one"
LOAD = "ansible-playbook -i inventory/aws playbooks/load.yml"
RUN_BY_THE_STORY = "the end-to-end tests have just run it: nearly ten minutes"
REMOVES = "it removes what the other tests look at; the last of them removes it"


def first(page: str, line: str) -> Command:
    return Command(page, line, 0)


INSTEAD = {
    first(README, "make demo"): Instead(RUN_BY_THE_STORY, "make --dry-run demo"),
    first(README, "make test"): Instead("this is a part of it", "make --dry-run test"),
    first(README, "make setup && . .venv/bin/activate"): Instead(
        "it was done before any test", "make --dry-run setup > /dev/null && . .venv/bin/activate"
    ),
    first(README, "ansible-playbook -i inventory/aws playbooks/doctor.yml"): Instead(
        ACCOUNT, "ansible-playbook -i inventory/aws/hosts.yml playbooks/doctor.yml --syntax-check"
    ),
    first(README, "canary plan --env aws --cost"): Instead(
        ACCOUNT, "canary plan --env aws --cost --help"
    ),
    first(README, "ansible-playbook -i inventory/aws site.yml --check --diff"): Instead(
        ACCOUNT,
        "ansible-playbook -i inventory/aws/hosts.yml site.yml --check --diff --syntax-check",
    ),
    first(README, "ansible-playbook -i inventory/aws site.yml"): Instead(
        ACCOUNT, "ansible-playbook -i inventory/aws/hosts.yml site.yml --list-tasks"
    ),
    first(README, "canary deploy HEAD --env aws --everywhere"): Instead(
        ACCOUNT, "canary deploy HEAD --env aws --everywhere --help && git rev-parse HEAD"
    ),
    first(README, f"{LOAD} -e load=start -e users=60 -e minutes=120"): Instead(
        ACCOUNT, "ansible-playbook -i inventory/aws/hosts.yml playbooks/load.yml --syntax-check"
    ),
    first(README, "canary run --env aws --candidate HEAD"): Instead(
        ACCOUNT, "canary run --env aws --candidate HEAD --help"
    ),
    first(README, "ansible-playbook -i inventory/aws playbooks/destroy.yml"): Instead(
        ACCOUNT, "ansible-playbook -i inventory/aws/hosts.yml playbooks/destroy.yml --syntax-check"
    ),
    first(README, "canary rollback --env aws"): Instead(
        ACCOUNT, "canary rollback --env aws --help"
    ),
    first(README, "canary run --env prod --candidate v1.1.0"): Instead(
        OWN_APP, "canary run --env prod --candidate v1.1.0 --help"
    ),
    first(README, "canary watch --env prod"): Instead(OWN_APP, "canary watch --env prod --help"),
    first(README, "make molecule ROLE=proxy"): Instead(
        "it boots a host in a cloud of its own: two minutes, a job of its own in ci.yml",
        "make --dry-run molecule ROLE=proxy",
    ),
    first(README, "make destroy"): Instead(REMOVES, "make --dry-run destroy"),
    first(TUTORIAL, "make demo"): Instead(RUN_BY_THE_STORY, "make --dry-run demo"),
    first(TUTORIAL, "canary run --env local --candidate HEAD"): Instead(
        "the story judged a good release, with the same words: two minutes",
        "canary run --env local --candidate HEAD --help",
    ),
    first(TUTORIAL, "make destroy"): Instead(REMOVES, "make --dry-run destroy"),
}
BAD = Command(TUTORIAL, "canary run --env local --candidate HEAD", 1)


@pytest.fixture(scope="module")
def place(story: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert story
    return clone(tmp_path_factory.mktemp("user") / "cart-canary")


@pytest.fixture(scope="module")
def readme(place: Path) -> list[Told]:
    text = (ROOT / README).read_text(encoding="utf-8")
    (policy,) = re.findall(r"```yaml\n(version: .*?)```", text, re.DOTALL)
    (place / "policy.yml").write_text(policy, encoding="utf-8")
    return walk(README, place, INSTEAD)


@pytest.fixture(scope="module")
def tutorial(place: Path) -> Iterator[list[Told]]:
    yield walk(TUTORIAL, place, INSTEAD)
    stop = ["ansible-playbook", "playbooks/load.yml", "-e", "load=stop"]
    subprocess.run(stop, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def failed(told: list[Told]) -> list[Told]:
    return [each for each in told if each.status != (1 if each.command == BAD else 0)]


def test_what_is_not_run_still_stands_in_its_page() -> None:
    assert set(INSTEAD) <= {*commands(README), *commands(TUTORIAL)}
    assert all(each.why for each in INSTEAD.values())


def test_every_command_of_the_readme_works(readme: list[Told]) -> None:
    assert len(readme) >= 14
    assert failed(readme) == []


def test_every_command_of_the_tutorial_works(tutorial: list[Told]) -> None:
    assert len(tutorial) >= 13
    assert failed(tutorial) == []


def test_the_tutorials_bad_release_is_refused(tutorial: list[Told]) -> None:
    (bad,) = [each for each in tutorial if each.command == BAD]
    assert "FAIL" in bad.output
    assert "errors" in bad.output


def test_the_tutorial_puts_everything_away(tutorial: list[Told], place: Path) -> None:
    assert tutorial
    assert git("-C", str(place), "rev-parse", "HEAD") == git("rev-parse", "HEAD")
    assert git("-C", str(place), "diff", "HEAD") == ""
