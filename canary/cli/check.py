"""``canary check``: validate a policy file."""

from __future__ import annotations

from pathlib import Path

import click

from canary.cli.common import answer, json_option
from canary.cli.needs import lacking, sentences
from canary.environment import parse_environment
from canary.policy import load_policy


@click.command()
@click.argument("policy_file", metavar="FILE", type=click.Path(path_type=Path))
@json_option
def check(policy_file: Path, *, as_json: bool) -> None:
    """Validate FILE, a policy, and list everything that is wrong with it.

    A valid policy may be enough only for some commands: for judging, but not for controlling
    traffic. The output lists those commands, and what the other commands need.

    Exit status: 0 valid, 2 not valid.

    \b
    Example:
      canary check .run/local/canary.yml
    """
    policy = load_policy(policy_file)
    environment = policy.environment and parse_environment(
        policy.environment, f"policy {policy_file}"
    )
    found = lacking(policy, environment or None)
    steps = ", ".join(f"{share:g}" for share in policy.steps)
    text = (
        f"{policy_file} is valid: {len(policy.metrics)} metrics, steps {steps}, "
        f"{policy.minimum} to {policy.maximum} s"
    )
    document = {
        "file": str(policy_file),
        "valid": True,
        "metrics": len(policy.metrics),
        "missing": {command: list(lack) for command, lack in found.items()},
    }
    text = "\n".join([text, *sentences(found)])
    answer(document, text, as_json=as_json)
