"""Defaults, argument specs and inventory of each role are consistent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT

ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())
INVENTORY = sorted(path for path in (ROOT / "inventory").rglob("*.yml") if not path.is_symlink())
PLAYBOOKS = [ROOT / "site.yml", *sorted((ROOT / "playbooks").glob("*.yml"))]
MOST_VARIABLES = 12
MOST_LINES = 60


def load(path: Path) -> Any:
    """Return the content of a YAML file; empty if it does not exist."""
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {} if path.exists() else {}


def entry_points(role: Path) -> dict[str, Any]:
    specs: dict[str, Any] = load(role / "meta/argument_specs.yml").get("argument_specs", {})
    return specs


def options(role: Path) -> dict[str, dict[str, Any]]:
    """Return every variable of a role, from all its entry points."""
    return {
        name: option
        for entry in entry_points(role).values()
        for name, option in entry.get("options", {}).items()
    }


def declared_variables() -> set[str]:
    return {name for role in ROLES for name in options(role)}


def task_files(role: Path) -> Iterator[Path]:
    yield from sorted((role / "tasks").glob("*.yml"))


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_has_a_contract(role: Path) -> None:
    assert "main" in entry_points(role)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_and_argument_spec_agree(role: Path) -> None:
    """Both have the same names and values."""
    documented = {
        name: spec["default"] for name, spec in options(role).items() if "default" in spec
    }
    assert load(role / "defaults/main.yml") == documented


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_of_settings_in_a_dictionary_agree(role: Path) -> None:
    """``__role_settings_defaults`` are the defaults of the options of ``role_settings``."""
    internal = load(role / "vars/main.yml")
    for name, spec in options(role).items():
        parts = spec.get("options", {})
        documented = {part: each["default"] for part, each in parts.items() if "default" in each}
        if spec["type"] == "dict" and documented:
            assert internal[f"__{name}_defaults"] == documented, name


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_entry_points_agree_on_a_variable(role: Path) -> None:
    for name, spec in options(role).items():
        for entry in entry_points(role).values():
            other = entry.get("options", {}).get(name, spec)
            assert other["type"] == spec["type"], name
            assert other.get("default") == spec.get("default"), name


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_option_is_the_roles_own_and_described(role: Path) -> None:
    for name, spec in options(role).items():
        assert name.startswith(f"{role.name}_")
        assert spec["description"].strip().endswith("."), name
        assert not ("default" in spec and spec.get("required")), name


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_an_entry_point_has_few_variables_and_each_task_file_is_short(role: Path) -> None:
    for name, entry in entry_points(role).items():
        assert len(entry.get("options", {})) <= MOST_VARIABLES, name
    for path in task_files(role):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES, path.name


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_explains_itself(role: Path) -> None:
    text = (role / "README.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {role.name}\n")
    assert "## Second run" in text


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_reads_no_other_roles_variables(role: Path) -> None:
    others = declared_variables() - set(options(role))
    templates = (role / "templates").glob("**/*.j2")
    for path in [*task_files(role), *templates, *(role / "vars").glob("*.yml")]:
        text = path.read_text(encoding="utf-8")
        # `name:` passes a variable to a role; anything else reads it
        read = set(re.findall(r"(?<![\w./-])[a-z][a-z0-9_]+\b(?!\s*:)", text))
        assert read & others == set(), path


def test_no_role_counts_on_a_handler() -> None:
    """A handler that was notified before an interruption would not be notified again."""
    assert list(ROOT.glob("roles/*/handlers")) == []
    for path in (file for role in ROLES for file in task_files(role)):
        assert "notify:" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize("path", INVENTORY, ids=lambda path: str(path.relative_to(ROOT)))
def test_inventory_sets_only_declared_role_variables(path: Path) -> None:
    """Otherwise a misspelt variable is silently ignored."""
    prefixes = tuple(f"{role.name}_" for role in ROLES)
    set_here = {name for name in load(path) if name.startswith(prefixes)}
    assert set_here - declared_variables() == set()


#: Optional variables that neither inventory, playbook nor role sets, and why a user may need them.
UNSET = {
    "app_metrics_sink": "hosts without CloudWatch",
    "base_hosts": "hosts without DNS",
    "bootstrap_dollars": "size of the bill",
    "cache_memory": "size of the instance",
    "database_connections": "size of the instance",
    "prober_limit": "slow URLs",
    "prometheus_interval": "load of the monitor",
    "service_stop_seconds": "programs that stop slowly",
}


def test_an_optional_variable_is_set_somewhere_or_kept_for_a_reason() -> None:
    sources = [*INVENTORY, *PLAYBOOKS, *(file for role in ROLES for file in task_files(role))]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    optional = {
        name
        for role in ROLES
        for name, option in options(role).items()
        if not option.get("required")
    }
    assert {n for n in optional if not re.search(rf"(?<![\w.]){n}\s*:", text)} == set(UNSET)


def test_no_role_or_playbook_knows_an_environment() -> None:
    """Environments differ under inventory/ only."""
    words = ("when: local", "== 'local'", '== "local"', "10.77.", "4566", "environment_name ==")
    for path in [*PLAYBOOKS, *(file for role in ROLES for file in task_files(role))]:
        text = path.read_text(encoding="utf-8")
        found = [word for word in words if word in text]
        assert found == [], path
