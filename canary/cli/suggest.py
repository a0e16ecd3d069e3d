"""``canary suggest``: propose a policy from history."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from canary.cli.common import answer, calibration_path, find_place, json_option, where_options
from canary.cli.files import RUN
from canary.cli.past import History, of_csv, of_environment
from canary.cli.types import DURATION, MOMENT
from canary.errors import PolicyError, SourceError
from canary.learned import dump_calibration
from canary.model import Arm, Release
from canary.offline.suggest import Suggestion, Wish, policy_text, summary
from canary.offline.suggest import suggest as propose
from canary.policy import parse_policy
from canary.sources.base import Query

FALSE_ALARMS = 1


@click.command()
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path),
    help="Read the history from this CSV file: rows of the arm baseline.",
)
@click.option(
    "--within",
    type=DURATION,
    default="30m",
    show_default=True,
    help="Time within which a canary must end.",
)
@click.option("--start", type=MOMENT, help="Start of the history. Default: -170m, or all of a CSV.")
@click.option("--end", type=MOMENT, help="End of the history. Default: now, or the end of a CSV.")
@click.option("--colour", help="Colour whose instances are compared. Default: the live colour.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write. Default: .run/ENV/suggested.yml.",
)
@click.option(
    "--without", multiple=True, metavar="METRIC", help="Leave out this metric. May be repeated."
)
@click.option("--force", is_flag=True, help="Replace existing files.")
@where_options
@json_option
def suggest(env: str | None, policy_file: Path | None, **options: Any) -> int:
    """Propose a policy from the history of equal instances: metrics, kinds, margins and times.

    The history comes from a CSV file, or from the source of an environment (canary init writes a
    first policy that names it). The first half of the history chooses the margins: the smallest
    that a canary can rule out in the time given. The second half measures false alarms. Metrics
    that cannot be judged are left out. Comments in the policy give the reason for each metric.

    Exit status: 0 proposed, 1 equal instances failed too often, so nothing was written, 2 nothing
    can be judged.

    \b
    Example:
      canary suggest --csv history.csv --within 30m --output canary.yml
    """
    csv_file = options["csv_file"]
    if csv_file is None:
        history = of_environment(find_place(env, policy_file), options)
    elif env or policy_file:
        raise PolicyError("--csv needs no environment: leave out --env and --policy")
    else:
        history = of_csv(csv_file, options)
    directory = RUN / (history.account or "") / history.name
    path = options["output"] or directory / "suggested.yml"
    if path.exists() and not options["force"]:
        raise PolicyError(f"{path} exists, and was not changed. To replace it: --force")
    found = _proposed(history, options["within"], options["without"])
    text = _text(found, history)
    parse_policy(text, str(path))
    document = _document(found) | {"file": None, "calibration": None}
    lines = [*summary(found), ""]
    if not found.trusted:
        lines.append(found.refusal)
        answer(document, "\n".join(lines), as_json=options["as_json"])
        return FALSE_ALARMS
    calibration = _write(found, history, text, path, force=options["force"])
    document |= {"file": str(path), "calibration": str(calibration) if calibration else None}
    lines += [f"Wrote {path}. Check it: canary check {path}", _learned_words(history, calibration)]
    answer(document, "\n".join(lines), as_json=options["as_json"])
    return 0


def _proposed(history: History, within: int, without: Sequence[str]) -> Suggestion:
    past, source = history.past, history.source
    hosts = source.instances(past.colour, (past.start, past.end))
    if len(hosts) < 2:
        raise SourceError(
            f"{source.describe()} lists {len(hosts)} instances of {past.colour}; a comparison "
            "needs two"
        )
    if unknown := sorted(set(without) - {*history.names, *history.given}):
        known = ", ".join(sorted({*history.names, *history.given}))
        raise PolicyError(f"--without names {', '.join(unknown)}; the metrics are: {known}")
    pool = {Arm.BASELINE: Release(past.colour, "", past.colour, hosts)}

    def read(queries: Sequence[Query]) -> dict[str, Any]:
        series = source.read(queries, pool, past.start, past.end)
        return {host: [one for one in series if one.instance == host] for host in hosts}

    wish = Wish(within, history.period, history.kind, history.names, history.given, without)
    steps = len(history.names) + len(history.given) + 3
    with click.progressbar(length=steps, label="Reading", file=sys.stderr) as bar:

        def tell(what: str) -> None:
            bar.label = what
            bar.update(1)

        return propose(wish, read, past, tell)


def _text(found: Suggestion, history: History) -> str:
    kept = [one for one in history.document.get("metrics", []) if one["name"] not in history.given]
    return policy_text(found, history.source.describe(), history.document, kept)


def _write(
    found: Suggestion, history: History, text: str, path: Path, *, force: bool
) -> Path | None:
    """Write the policy, and the calibration unless one exists; return the calibration's file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    calibration = calibration_path(history.name, history.account)
    if calibration.exists() and not force:
        return None
    calibration.parent.mkdir(parents=True, exist_ok=True)
    dump_calibration(found.calibration, calibration)
    return calibration


def _learned_words(history: History, calibration: Path | None) -> str:
    if calibration is not None:
        return f"Learned noise: {calibration}"
    kept = calibration_path(history.name, history.account)
    return f"The noise in {kept} was kept. To replace it: --force"


def _document(found: Suggestion) -> dict[str, Any]:
    measured = found.measured
    return {
        "metrics": [
            {
                **one.metric.model_dump(mode="json", exclude_unset=True),
                "reason": one.reason,
                "sentence": one.outlook.sentence,
                "passes": one.outlook.passes,
                "harm_added": measured.sizes.get(one.metric.name),
                "harms_found": measured.harms.get(one.metric.name, 0),
            }
            for one in found.metrics
        ],
        "left_out": [dataclasses.asdict(one) for one in found.left_out],
        "windows": measured.windows,
        "false_alarms": measured.alarms,
        "false_alarms_at_most": measured.upper,
        "false_alarms_by_metric": dict(measured.culprits),
        "passed": measured.passed,
        "sentence": found.sentence,
    }
