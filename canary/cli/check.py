"""``canary check``: validate a policy file."""

from __future__ import annotations

from pathlib import Path

import click

from canary.cli.common import answer, json_option
from canary.cli.needs import lacking, sentences
from canary.environment import parse_environment
from canary.formatting import duration, percent, plural
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
    steps = ", ".join(percent(share) for share in policy.steps)
    text = (
        f"{policy_file} is valid: {plural(len(policy.metrics), 'metric')}, steps {steps}, "
        f"PASS after {duration(policy.minimum)} at the earliest, "
        f"{duration(policy.maximum)} at the longest"
    )
    document = {
        "file": str(policy_file),
        "valid": True,
        "metrics": len(policy.metrics),
        "missing": {command: list(lack) for command, lack in found.items()},
    }
    text = "\n".join([text, *sentences(found)])
    answer(document, text, as_json=as_json)
