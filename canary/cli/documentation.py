"""Prints ``docs/cli.md``, generated from the commands' help."""

from __future__ import annotations

import click

from canary.cli import cli

WIDTH = 88
HEAD = """# The canary command

<!-- Generated: python -m canary.cli.documentation > docs/cli.md -->

Tables and JSON go to stdout, progress goes to stderr. Exit status of a verdict: 0 PASS, 1 FAIL,
2 could not run, 3 INCONCLUSIVE. Where 1 means something else, the command's help says so.
`--env NAME` uses the policy `.run/NAME/canary.yml`, which `site.yml` writes. `--policy FILE` uses
another policy.
"""


def document() -> str:
    """Return the whole page."""
    parts = [HEAD]
    root = click.Context(cli, info_name="canary", **cli.context_settings)
    for name in cli.list_commands(root):
        command = cli.get_command(root, name)
        if command is not None:
            context = click.Context(command, info_name=name, parent=root, max_content_width=WIDTH)
            context.terminal_width = WIDTH
            parts.append(f"## canary {name}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    click.echo(document(), nl=False)
