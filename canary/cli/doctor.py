"""``canary doctor``: find problems in an AWS account before a release does."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from canary.cli.common import json_option
from canary.cli.files import find_needs
from canary.doctor.finding import Finding, Level
from canary.doctor.needs import load_needs
from canary.errors import PolicyError
from canary.extras import needs as extra

MARKS = {Level.OK: "✔ ok", Level.UNKNOWN: "? unknown", Level.PROBLEM: "✘ problem"}
FOUND = 1


@click.command()
@click.option("--env", envvar="CANARY_ENV", help="Environment, as in inventory/ENV.")
@click.option(
    "--needs",
    "needs_file",
    type=click.Path(path_type=Path),
    help="What the environment needs; default: .run/ENV/needs.json.",
)
@click.option(
    "--before-site",
    is_flag=True,
    help="Fail only for problems that would stop site.yml, not for those that it fixes.",
)
@json_option
def doctor(env: str | None, needs_file: Path | None, *, before_site: bool, as_json: bool) -> int:
    """Find problems in an AWS account before a release does, and say how to fix them.

    Checks credentials, clock, rights, quota, zones, image, your address, certificate, mail,
    policy, how late metrics are, and what a month costs. It changes nothing. A check that the
    account does not answer is "unknown". The first play of site.yml runs the same checks. To run
    them before it: ansible-playbook -i inventory/aws playbooks/doctor.yml

    Exit status: 0 no problem, 1 problems found, 2 could not run.

    \b
    Example:
      canary doctor --env aws
    """
    if env is None and needs_file is None:
        raise PolicyError("Name the environment: --env NAME or --needs FILE")
    with extra("cloudwatch", "canary doctor"):
        from canary.doctor.cloud import Cloud
        from canary.doctor.examine import examine
    needs = load_needs(needs_file or find_needs(str(env)))
    findings = examine(Cloud(needs), needs)
    if as_json:
        Console().print_json(data=[dataclasses.asdict(each) for each in findings])
    else:
        show(findings, every_command=not before_site)
    if any(each.level is Level.PROBLEM and (each.blocking or not before_site) for each in findings):
        return FOUND
    return 0


def show(findings: Sequence[Finding], *, every_command: bool) -> None:
    """Print a table, then what to type for each problem, or for each finding that says so."""
    console = Console(highlight=False)
    table = Table("check", "result", "finding", box=None, pad_edge=False)
    for each in findings:
        table.add_row(each.check, MARKS[each.level], each.sentence)
    console.print(table)
    for each in findings:
        if each.command and (every_command or each.level is Level.PROBLEM):
            console.print(f"\n{each.check}:\n    {each.command}", markup=False, soft_wrap=True)
    counted = Counter(each.level for each in findings)
    problems, unsure = counted[Level.PROBLEM], counted[Level.UNKNOWN]
    console.print(f"\n{problems} problems, {unsure} unknown, {counted[Level.OK]} in order.")
