"""A role's templates, rendered by Ansible's own engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLES = Path(__file__).resolve().parents[2] / "roles"


def render(role: str, template: str, **variables: Any) -> str:
    """Render a template from its role's defaults and ``variables``; undefined is an error."""
    defaults = yaml.safe_load((ROLES / role / "defaults/main.yml").read_text(encoding="utf-8"))
    source = (ROLES / role / "templates" / template).read_text(encoding="utf-8")
    known = {"ansible_managed": "Ansible managed", **(defaults or {}), **variables}
    text: str = Templar(loader=DataLoader(), variables=known).template(trust_as_template(source))
    return text
