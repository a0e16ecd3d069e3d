"""The documentation: links, commands, files and policies in it are valid."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from canary.cli import COMMANDS, cli
from canary.policy import load_policy
from tests.support.paths import ROOT

PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "app/README.md",
        *(ROOT / "docs").glob("**/*.md"),
        *(ROOT / "examples").glob("*/*.md"),
    ]
)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
SHELL = re.compile(r"^ {4}(?:\$ )?((?:canary|ansible-playbook|make|local-cloud) .*)$", re.MULTILINE)
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def commands(page: Path) -> Iterator[list[str]]:
    for line in SHELL.findall(page.read_text(encoding="utf-8")):
        yield shlex.split(line.split(" && ")[0], comments=True)


@EVERY_PAGE
def test_a_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@EVERY_PAGE
def test_a_command_has_the_words_that_are_typed(page: Path) -> None:
    base = page.parent if page.is_relative_to(ROOT / "examples") else ROOT
    for words in commands(page):
        if words[0] == "canary":
            check_canary(words)
        elif words[0] == "make":
            targets = [word for word in words[1:] if "=" not in word]
            makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
            assert all(re.search(rf"^{t}:", makefile, re.MULTILINE) for t in targets), words
        elif words[0] == "ansible-playbook":
            for word in words[1:]:
                if word.endswith(".yml"):
                    assert (base / word).is_file(), words


def test_the_third_line_of_the_readme_is_a_command_to_try() -> None:
    third = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[2]
    (command,) = re.findall(r"`uvx --from git\+https://\S+ (canary .*)`", third)
    check_canary(shlex.split(command))


def check_canary(words: list[str]) -> None:
    assert words[1] in COMMANDS, words
    command = cli.get_command(click.Context(cli), words[1])
    assert command is not None
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    known |= {"-h", "--help"}
    for word in words[2:]:
        if word.startswith("--"):
            assert word.split("=")[0] in known, words


def test_policies_in_the_pages_are_valid(tmp_path: Path) -> None:
    found = 0
    for page in PAGES:
        for block in re.findall(r"```yaml\n(version: .*?)```", page.read_text("utf-8"), re.DOTALL):
            path = tmp_path / "policy.yml"
            path.write_text(block, encoding="utf-8")
            assert load_policy(path).metrics
            found += 1
    assert found >= 2


TASK_FILES = sorted((ROOT / "roles").glob("*/tasks/*.yml"))


def units() -> set[str]:
    """Return the services that the roles keep running; the firewall's ends after loading."""
    tasks = [task for path in TASK_FILES for task in yaml.safe_load(path.read_text()) or []]
    kept = [
        unit for task in tasks for unit in task.get("cart.canary.unit_set", {}).get("units", [])
    ]
    named = {unit["name"] for unit in kept if unit.get("running")}
    named |= {
        task["vars"]["service_name"] for task in tasks if "service_name" in task.get("vars", {})
    }
    return {f"{name}.service" for name in named if "{{" not in name} - {"nftables.service"}


def test_the_page_on_security_states_every_unit_that_a_role_runs() -> None:
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    stated = set(re.findall(r"^\| `(\S+\.service)`", page, re.MULTILINE))
    assert {"prometheus.service", "postgresql@15-main.service"} <= units()
    assert units() - stated == set()
