"""The outcome of a canary, as its file holds it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from canary.cli.controller import OUTCOME
from canary.errors import ExitStatus, RecordingError
from canary.reading import SMALL, read_json, read_text

NOT_FOUND = (
    "has no controller that other commands can find: it is a drill, or only observes. It ends with "
    "Ctrl-C in its terminal, and its page is canary watch"
)


def outcome_of(directory: Path) -> dict[str, Any] | None:
    """Return the document of an outcome, or None if the canary has not ended."""
    path = directory / OUTCOME
    try:
        found: dict[str, Any] = read_json(read_text(path, SMALL))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RecordingError(f"{path} cannot be read: {error}") from error
    return found


def ending_of(document: dict[str, Any]) -> str:
    """Return the verdict, its reason, and where the traffic is."""
    word = document["verdict"] or "COULD NOT RUN"
    return f"{word}: {document['reason']}\n{document['traffic']}"


def tell_ended(
    document: dict[str, Any], directory: Path, *, as_json: bool, harm: str = ""
) -> ExitStatus:
    """Print how a canary ended, and return its exit status.

    ``harm`` describes the harm that the canary would have found.
    """
    report = directory / "report.html"
    place = {"directory": str(directory), "report": str(report) if report.is_file() else None}
    if as_json:
        click.echo(json.dumps({**document, **place}, indent=2, sort_keys=True))
    else:
        click.echo("\n".join(filter(None, (ending_of(document), harm))))
        click.echo(f"Report: {report}" if report.is_file() else f"Files: {directory}")
    return ExitStatus(document["exit_status"])
