"""Render the template of a role like Ansible, without a host."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

from tests.support.paths import ROOT

ROLES = ROOT / "roles"


def render(role: str, template: str, **overrides: Any) -> str:
    """Render from the role's defaults, its internal variables and ``overrides``."""
    directory = ROLES / role / "templates"
    templar = _templar(role, overrides)
    templar.environment.loader.searchpath = [str(directory)]
    source = (directory / template).read_text()
    return str(templar.template(trust_as_template(source), escape_backslashes=False))


def evaluate(role: str, variable: str, **overrides: Any) -> Any:
    """Return the value of an internal variable of a role."""
    load_plugins()
    return _templar(role, overrides).template(trust_as_template(f"{{{{ {variable} }}}}"))


def group_settings(group: str, names: list[str], **variables: Any) -> dict[str, Any]:
    """Return settings from the inventory of a group, filled in with ``variables``."""
    text = (ROOT / "inventory/groups" / f"{group}.yml").read_text()
    values = yaml.safe_load(text)
    templar = Templar(loader=DataLoader(), variables=variables)
    return {name: templar.template(_trusted(values[name])) for name in names}


def _trusted(value: Any) -> Any:
    """Trust every string in a value as a template."""
    if isinstance(value, dict):
        return {key: _trusted(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_trusted(each) for each in value]
    return _trust(value)


@cache
def load_plugins() -> None:
    """Load lookups such as ansible.builtin.file; Ansible allows this once per process."""
    init_plugin_loader([])


def _templar(role: str, overrides: dict[str, Any]) -> Templar:
    variables: dict[str, Any] = {"ansible_managed": "managed"}
    for kind in ("defaults", "vars"):
        path = ROLES / role / kind / "main.yml"
        variables |= yaml.safe_load(path.read_text()) or {} if path.exists() else {}
    trusted = {name: _trusted(value) for name, value in variables.items()}
    loader = DataLoader()
    loader.set_basedir(str(ROLES / role / "templates"))
    searched = {"ansible_search_path": [str(ROLES / role)]}
    return Templar(loader=loader, variables=trusted | searched | overrides)


def _trust(value: Any) -> Any:
    return trust_as_template(value) if isinstance(value, str) else value
