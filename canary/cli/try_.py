"""``canary try``: a good and a bad release on a simulated service."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from canary.cli.common import answer, json_option
from canary.cli.progress import Display
from canary.errors import CanaryError, ExitStatus
from canary.model import Verdict
from canary.report import render_terminal
from canary.rollout.outcome import Outcome
from canary.simulation import World, policy_text

PACE = 0.015
"""Real seconds for a simulated second in a terminal, so that people can read along."""
POLICY = "policy.yml"
RELEASES = {
    "good": ("v1.1", Verdict.PASS, "it does as well as v1.0"),
    "bad": ("v1.2", Verdict.FAIL, "it is a third slower, and fails six times as many requests"),
}


@click.command("try")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("canary-try"),
    show_default=True,
    help="Directory for the two reports.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, help="Seed of the simulated traffic."
)
@json_option
def try_(directory: Path, seed: int, *, as_json: bool) -> ExitStatus:
    """Show a good and a bad release on a simulated service. Needs no root and no network.

    The engine, the judge and the reports are the real ones; time, users, hosts and proxy are
    simulated. Takes a few seconds.

    Exit status: 0 the good release passed and the bad one failed, 2 otherwise.

    \b
    Example:
      canary try
    """
    _prepare(directory)
    console = Console(stderr=True)
    world = World(seed=seed, pace=PACE if console.is_terminal else 0.0)
    console.print(f"A simulated service on four hosts. The policy: {directory / POLICY}")
    outcomes = {name: _run(world, name, directory / name, console) for name in RELEASES}
    document = {name: _document(outcome, directory / name) for name, outcome in outcomes.items()}
    answer(document, _text(outcomes, directory), as_json=as_json)
    expected = all(outcomes[name].verdict is RELEASES[name][1] for name in RELEASES)
    return ExitStatus.PASS if expected else ExitStatus.COULD_NOT_RUN


def _prepare(directory: Path) -> None:
    """Create the directories; refuse one in which a user has other files."""
    known = {POLICY, *RELEASES}
    others = sorted({path.name for path in directory.glob("*")} - known)
    if others:
        raise CanaryError(
            f"{directory} has other files ({', '.join(others[:3])}). Name an empty directory: "
            "--directory DIRECTORY"
        )
    for name in RELEASES:
        (directory / name).mkdir(parents=True, exist_ok=True)
    (directory / POLICY).write_text(policy_text(), encoding="utf-8")


def _run(world: World, name: str, directory: Path, console: Console) -> Outcome:
    ref, _, what = RELEASES[name]
    console.print(f"\n==> Release {ref}: {what}", style="bold", highlight=False)
    with Display(world.policy, console, world.clock.now) as display:
        outcome = world.run(name, ref, directory, display)
    if outcome.verdict is None:
        raise CanaryError(outcome.reason)
    if outcome.recording is not None and not console.is_terminal:
        console.print(render_terminal(world.policy, outcome.recording, outcome.judgements))
    return outcome


def _document(outcome: Outcome, directory: Path) -> dict[str, str]:
    return {
        "verdict": str(outcome.verdict),
        "reason": outcome.reason,
        "report": str(directory / "report.html"),
    }


def _text(outcomes: dict[str, Outcome], directory: Path) -> str:
    lines = []
    for name, outcome in outcomes.items():
        lines += [
            f"{RELEASES[name][0]}: {outcome.verdict}: {outcome.reason}. {outcome.traffic}",
            f"  Report, to open in a browser: {directory / name / 'report.html'}",
        ]
    policy, recording = directory / POLICY, directory / "bad" / "recording.json"
    return "\n".join(
        [
            *lines,
            f"Judge the recorded data again: canary replay --policy {policy} {recording}",
        ]
    )
