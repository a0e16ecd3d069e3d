"""Render a role's template as Ansible would, in milliseconds and without a host."""

from __future__ import annotations

from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from tests.support.paths import ROOT

ROLES = ROOT / "roles"


def render(role: str, template: str, **overrides: Any) -> str:
    """Render from the role's defaults, its internal variables and ``overrides``."""
    variables: dict[str, Any] = {"ansible_managed": "managed"}
    for kind in ("defaults", "vars"):
        path = ROLES / role / kind / "main.yml"
        variables |= yaml.safe_load(path.read_text()) or {} if path.exists() else {}
    trusted = {name: _trust(value) for name, value in variables.items()}
    loader = DataLoader()
    directory = ROLES / role / "templates"
    loader.set_basedir(str(directory))
    templar = Templar(loader=loader, variables=trusted | overrides)
    templar.environment.loader.searchpath = [str(directory)]
    source = (directory / template).read_text()
    return str(templar.template(trust_as_template(source), escape_backslashes=False))


def _trust(value: Any) -> Any:
    return trust_as_template(value) if isinstance(value, str) else value
