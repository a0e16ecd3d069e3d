"""Shared by the commands: options, finding the policy, and output."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from canary.cli.assemble import state_of
from canary.cli.files import directory_of, environments, find_directory
from canary.cli.first_policy import how_to_begin
from canary.environment import Environment, frozen, parse_environment
from canary.errors import FreezeError, PolicyError
from canary.evidence.fingerprint import fingerprint_of, usable
from canary.learned import Calibration, load_calibration
from canary.policy import Policy, load_policy

SHARED_CALIBRATION = "calibration.json"
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Place:
    """A policy, its environment, and the directory of its files."""

    path: Path
    policy: Policy
    environment: Environment

    @property
    def directory(self) -> Path:
        return directory_of(self.environment.name, self.environment.account)

    @property
    def canaries(self) -> Path:
        return self.directory / "canaries"


def where_options(command: Command) -> Command:
    """Add ``--env`` and ``--policy``. A command needs one of them."""
    command = click.option(
        "--policy",
        "policy_file",
        type=click.Path(path_type=Path),
        help="Policy file; default: .run/ENV/canary.yml.",
    )(command)
    return click.option(
        "--env", envvar="CANARY_ENV", help="Environment, as in inventory/ENV. Default: $CANARY_ENV."
    )(command)


def freeze_option(command: Command) -> Command:
    """Add ``--ignore-freeze``."""
    return click.option(
        "--ignore-freeze", is_flag=True, help="Start even if the environment is frozen."
    )(command)


def json_option(command: Command) -> Command:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout.")(command)


def find_policy(env: str | None, policy_file: Path | None) -> Path:
    """Return the policy file that the options name."""
    if policy_file is not None:
        return policy_file
    known = environments()
    found = (
        f"environments here: {', '.join(known)}"
        if known
        else "no environment is set up in this directory"
    )
    if env is None:
        raise PolicyError(f"Name the environment: --env NAME or --policy FILE ({found})")
    path = find_directory(env) / "canary.yml"
    if not path.exists():
        raise PolicyError(f"There is no {path} ({found}). {how_to_begin(env)}")
    return path


def find_place(env: str | None, policy_file: Path | None) -> Place:
    """Return the policy and the environment that the options name."""
    path = find_policy(env, policy_file)
    policy = load_policy(path)
    return Place(path, policy, parse_environment(policy.environment, f"policy {path}"))


def calibration_path(environment: str, account: str | None = None) -> Path:
    """Return the path of an environment's calibration, which ``canary rehearse`` writes."""
    return directory_of(environment, account) / "calibration.json"


def fetch_calibration(place: Place) -> Calibration:
    """Return the environment's calibration, copied from the state first if the state has one."""
    find_calibration(place.policy)  # refuse a damaged one before reading anything else
    if place.environment.state is None:
        return find_calibration(place.policy)
    state, path = state_of(place.environment), place.directory / "calibration.json"
    if state.find(SHARED_CALIBRATION) is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(state.fetch(SHARED_CALIBRATION))
    return find_calibration(place.policy)


def find_calibration(policy: Policy) -> Calibration:
    """Return the calibration of the policy's environment, empty if there is none."""
    environment = policy.environment or {}
    if not environment.get("name"):
        return Calibration()
    return load_calibration(calibration_path(environment["name"], environment.get("account")))


def calibration_here(
    policy: Policy, calibration: Calibration, source: str, hosts: int | None
) -> Calibration:
    """Return the part of a calibration that is valid here; warn about the rest."""
    kept, warnings = usable(calibration, fingerprint_of(policy, source, hosts))
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)
    return kept


def refuse_if_frozen(environment: Environment, now: float, *, ignore: bool) -> None:
    """Refuse to start inside a freeze window, unless ``--ignore-freeze`` is given."""
    if not ignore and (why := frozen(environment.freezes, now)):
        raise FreezeError(
            f"No release may start on {environment.name} now: {why}. For an urgent repair: "
            "--ignore-freeze"
        )


def answer(document: object, text: str, *, as_json: bool) -> None:
    """Print a result to stdout, as JSON or as text."""
    click.echo(json.dumps(document, indent=2, sort_keys=True) if as_json else text)
