"""``canary init``: write the first policy of an environment."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from canary.cli.common import answer, json_option
from canary.cli.files import RUN, require_name
from canary.cli.first_policy import Answers, first_policy, next_steps
from canary.cli.needs import lacking, sentences
from canary.environment import parse_environment
from canary.errors import PolicyError
from canary.policy import parse_policy

KINDS = ("proxy", "prometheus", "cloudwatch", "csv")
QUESTIONS = {
    "proxy": {"proxy": "Address of the HAProxy host", "deploy": "Command that deploys a release"},
    "prometheus": {
        "url": "Address of Prometheus",
        "requests": "Counter of requests",
        "errors": "Counter of failed requests",
        "latency": "Histogram or summary of latencies (without _sum)",
        "proxy": "Address of the HAProxy host (empty: judge only)",
        "deploy": "Command that deploys a release",
    },
    "cloudwatch": {
        "namespace": "Namespace of the metrics",
        "region": "AWS region (empty: that of your profile)",
        "proxy": "Address of the HAProxy host (empty: judge only)",
        "deploy": "Command that deploys a release",
    },
    "csv": {"file": "CSV file"},
}
DEFAULTS = {field.name: field.default for field in fields(Answers)}


@click.command()
@click.argument("name", metavar="ENVIRONMENT")
@click.option("--source", type=click.Choice(KINDS), help="Where the metrics come from.")
@click.option("--proxy", help="Address of the HAProxy host. Without it, judge only.")
@click.option("--deploy", help="Command that deploys. Default: ./deploy.sh {release} {colour}.")
@click.option("--url", help="Address of Prometheus. Default: http://127.0.0.1:9090.")
@click.option("--requests", help="Its counter of requests. Default: http_requests_total.")
@click.option("--errors", help='Its counter of failures. Default: ...{status=~"5.."} of those.')
@click.option("--latency", help="Its histogram. Default: http_request_duration_seconds.")
@click.option("--namespace", help="CloudWatch namespace. Default: App.")
@click.option("--region", help="AWS region. Default: that of your profile.")
@click.option("--csv", "file", help="CSV file. Default: datapoints.csv.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write. Default: .run/ENVIRONMENT/canary.yml.",
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
@json_option
def init(
    name: str, source: str | None, output: Path | None, *, force: bool, as_json: bool, **given: Any
) -> None:
    """Write the first policy of ENVIRONMENT, from options or from answers in a terminal.

    With --source proxy the app needs no instrumentation: the proxy measures. The policy is valid,
    and a start: edit it. Exit status: 0 written, 2 not written.

    \b
    Example:
      canary init prod --source proxy --proxy 192.0.2.10 --deploy "./deploy.sh {release} {colour}"
    """
    require_name(name)
    path = output or RUN / name / "canary.yml"
    if path.exists() and not force:
        raise PolicyError(f"{path} exists, and was not changed. To replace it: --force")
    answers = _answers(name, source, given)
    text = first_policy(answers, str(path))
    policy = parse_policy(text, str(path))
    found = lacking(policy, parse_environment(policy.environment, f"policy {path}"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    document = {"file": str(path), "missing": {each: list(lack) for each, lack in found.items()}}
    lines = [f"Wrote {path}", *sentences(found), "", next_steps(answers, str(path))]
    answer(document, "\n".join(lines), as_json=as_json)


def _answers(name: str, source: str | None, given: dict[str, str | None]) -> Answers:
    kind = source or _ask("Where the metrics come from", "proxy", click.Choice(KINDS))
    if kind is None:
        raise PolicyError(f"Name the source of metrics: --source {', '.join(KINDS)}")
    questions = QUESTIONS[kind]
    known = {key: value for key, value in given.items() if value is not None}
    if unused := sorted(known.keys() - questions.keys()):
        options = ", ".join(f"--{'csv' if key == 'file' else key}" for key in unused)
        raise PolicyError(f"{options} is of no use with --source {kind}; leave it out")
    for key, question in questions.items():
        if key == "deploy" and not known.get("proxy"):
            continue
        if key not in known and (said := _ask(question, DEFAULTS[key])) is not None:
            known[key] = said
    return Answers(name, kind, **known)


def _ask(question: str, default: Any, kind: click.ParamType[Any] | None = None) -> str | None:
    """Return the user's answer, or None without a terminal."""
    if not sys.stdin.isatty():
        return None
    answer: str = click.prompt(question, default=default, type=kind, err=True)
    return answer
