"""``canary replay``: judge a recording again."""

from __future__ import annotations

from pathlib import Path

import click

from canary.cli.common import json_option
from canary.cli.verdict import tell_verdict
from canary.errors import ExitStatus, RecordingError
from canary.offline.analyze import covering
from canary.offline.replay import judge_looks
from canary.policy import load_policy
from canary.recording import load_recording


@click.command()
@click.argument("recording_file", metavar="RECORDING", type=click.Path(path_type=Path))
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    help="Judge with this policy. Default: the policy.yml beside the recording.",
)
@click.option("--html", type=click.Path(path_type=Path), help="Write the report to this file.")
@json_option
def replay(
    recording_file: Path, policy_file: Path | None, html: Path | None, *, as_json: bool
) -> ExitStatus:
    """Judge a recording again. With its own policy, the verdict is the same, bit for bit.

    Exit status: 0 PASS, 1 FAIL, 2 could not judge, 3 INCONCLUSIVE.

    \b
    Example:
      canary replay .run/local/canaries/20261121T094502Z-3f2a/recording.json
    """
    beside = recording_file.parent / "policy.yml"
    if policy_file is None and recording_file.is_file() and not beside.is_file():
        raise RecordingError(f"There is no {beside}; name the policy: --policy FILE")
    recording = load_recording(recording_file)
    policy = covering(load_policy(policy_file or beside), recording)
    return tell_verdict(policy, recording, judge_looks(policy, recording), html, as_json=as_json)
