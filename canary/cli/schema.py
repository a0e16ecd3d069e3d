"""``canary schema``: the policy file's JSON Schema, for editors."""

from __future__ import annotations

import json
from typing import Any

import click

from canary.environment import Environment
from canary.policy import policy_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema of a policy file, for editors.

    \b
    Example:
      canary schema > canary.schema.json
    """
    click.echo(json.dumps(full_schema(), indent=2, sort_keys=True))


def full_schema() -> dict[str, Any]:
    """Return the policy's schema, with the schema of its environment section."""
    whole, section = policy_schema(), Environment.model_json_schema()
    definitions = {**whole.get("$defs", {}), **section.pop("$defs", {}), "Environment": section}
    properties = {**whole["properties"], "environment": {"$ref": "#/$defs/Environment"}}
    return {**whole, "properties": properties, "$defs": definitions}
