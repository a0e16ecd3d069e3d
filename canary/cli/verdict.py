"""Output of a verdict, shared by ``canary analyze`` and ``canary replay``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from canary.cli.harm import detectable_harm
from canary.errors import ExitStatus, SourceError
from canary.model import Judgement, Recording
from canary.policy import Policy
from canary.report import render_html, render_json, render_terminal
from canary.rollout.outcome import status_of


def tell_verdict(
    policy: Policy,
    recording: Recording,
    judgements: Sequence[Judgement],
    html: Path | None,
    *,
    as_json: bool,
) -> ExitStatus:
    """Print the last judgement, write the HTML report if asked, and return the exit status."""
    if not judgements:
        raise SourceError(
            f"The data end within the warm-up of {policy.warmup} s, so there is nothing to judge. "
            "Use a longer window, or a shorter warmup in the policy"
        )
    if html is not None:
        html.write_text(render_html(policy, recording, judgements), encoding="utf-8")
    if as_json:
        document = json.loads(render_json(policy, recording, judgements))
        click.echo(json.dumps(document, indent=2, sort_keys=True))
    else:
        Console().print(render_terminal(policy, recording, judgements))
        if harm := detectable_harm(policy, judgements[-1]):
            click.echo(harm)
    return status_of(judgements[-1].verdict)
