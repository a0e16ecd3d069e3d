"""The program ``shop-traffic``, and its restricted access for one SSH key.

Answers are one line of JSON. Exit status: 0 done, 1 refused with a reason, 2 invalid command.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from shop_traffic import boot
from shop_traffic.commands import Traffic
from shop_traffic.config import RefusedError, load
from shop_traffic.drill import Drill
from shop_traffic.lease import LONGEST, SystemdTimer
from shop_traffic.lock import Lock
from shop_traffic.memory import Memory
from shop_traffic.runtime import Runtime
from shop_traffic.statements import statements

PUBLIC = ("status", "set", "renew", "release", "promote", "drain", "ready", "standby", "lock")


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"shop-traffic: {message}. {self.format_usage()}")


def parser(names: Sequence[str] = (*PUBLIC, "prepare", "save", "restore")) -> Parser:
    """Build the parser; every command has ``--help``."""
    root = Parser(prog="shop-traffic", description=__doc__, allow_abbrev=False)
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add = {name: commands.add_parser(name, allow_abbrev=False) for name in names}
    raised = add["set"]
    raised.add_argument("--candidate", required=True, metavar="COLOUR")
    raised.add_argument("--share", required=True, type=float, help="of all traffic, 0 to 1")
    raised.add_argument("--baseline-server", metavar="SERVER", help="carries a candidate's load")
    raised.add_argument("--matched", action="store_true", help="needs --baseline-server")
    raised.add_argument("--errors", type=float, help="drill: share of reads that get 500, 0 to 1")
    raised.add_argument("--writes", action="store_true", help="drill: errors for all methods")
    raised.add_argument("--delay", type=int, metavar="MS", help="drill: wait before each response")
    for name in ("set", "renew"):
        add[name].add_argument("--lease", required=True, type=float, metavar="SECONDS")
    add["release"].add_argument("--expired", metavar="LEASE", help=argparse.SUPPRESS)
    add["promote"].add_argument("--colour", required=True)
    add["promote"].add_argument("--leased", action="store_true", help="only while it has a lease")
    for name in ("drain", "ready"):
        add[name].add_argument("--server", required=True)
        add[name].add_argument("--wait", type=patience, default=10.0, metavar="SECONDS")
    add["ready"].add_argument(
        "--fallback", action="store_true", help="it runs the live release: it may stand in"
    )
    add["standby"].add_argument("--colour", required=True, help="an idle one")
    add["standby"].add_argument("--off", action="store_true", help="it may no longer stand in")
    changes = add["lock"].add_mutually_exclusive_group()
    changes.add_argument("--holder", metavar="JSON", help="new holder, or none; needs --if")
    changes.add_argument("--last", metavar="JSON", help="the change that was recorded last")
    add["lock"].add_argument("--if", dest="expected", metavar="HOLDER", help="none or CANARY/BEAT")
    return root


def patience(text: str) -> float:
    """Return how long to wait. Without a limit, an SSH session might never end."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds up to {LONGEST:g}")
    return seconds


def answer(traffic: Traffic, asked: argparse.Namespace) -> dict[str, Any] | None:
    """Run the command."""
    actions: dict[str, Callable[[], dict[str, Any] | None]] = {
        "status": lambda: {**traffic.status(), **statements(traffic.config)},
        "set": lambda: traffic.set(
            asked.candidate, asked.share, asked.lease, matched(asked), drill(asked)
        ),
        "renew": lambda: traffic.renew(asked.lease),
        "release": lambda: traffic.release(asked.expired),
        "promote": lambda: traffic.promote(asked.colour, leased=asked.leased),
        "drain": lambda: traffic.drain(asked.server, asked.wait),
        "ready": lambda: traffic.ready(asked.server, asked.wait, fallback=asked.fallback),
        "standby": lambda: traffic.standby(asked.colour, may=not asked.off),
        "lock": lambda: lock(Lock(traffic.memory), asked),
        "prepare": lambda: boot.prepare(traffic),
        "save": lambda: boot.save(traffic),
        "restore": lambda: boot.restore(traffic),
    }
    return actions[asked.command]()


def lock(kept: Lock, asked: argparse.Namespace) -> dict[str, Any]:
    """Read the lock, or change it."""
    if (asked.holder is None) != (asked.expected is None):
        raise RefusedError("--holder and --if go together.")
    if asked.holder is not None:
        return kept.swap(asked.expected, asked.holder)
    return kept.read() if asked.last is None else kept.note(asked.last)


def matched(asked: argparse.Namespace) -> str | None:
    baseline: str | None = asked.baseline_server
    if asked.matched != (baseline is not None):
        raise RefusedError("--matched and --baseline-server SERVER go together.")
    return baseline


def drill(asked: argparse.Namespace) -> Drill | None:
    if asked.errors is None and asked.delay is None and not asked.writes:
        return None
    return Drill(asked.errors or 0.0, asked.delay or 0, writes=asked.writes).checked()


def main(arguments: Sequence[str] | None = None) -> None:
    asked = parser().parse_args(arguments)
    try:
        config = load()
        runtime = Runtime(config.socket, config.backend)
        traffic = Traffic(config, runtime, Memory(config.directory), SystemdTimer())
        print(json.dumps(answer(traffic, asked)))  # noqa: T201 - the answer
    except RefusedError as error:
        sys.exit(f"shop-traffic: {error}")
    except OSError as error:
        sys.exit(f"shop-traffic: {error}. What it remembers is in {config.directory}: df, ls -l")


def door() -> None:
    """Run the SSH client's command if it is one of the public commands."""
    try:
        words = shlex.split(os.environ.get("SSH_ORIGINAL_COMMAND", ""))
    except ValueError as error:
        sys.exit(f"shop-traffic: that command line has no end ({error}).")
    if words[:1] == ["shop-traffic"]:
        words = words[1:]
    inner = any(word.startswith("--expired") for word in words)
    if not words or words[0] not in PUBLIC or inner:
        sys.exit(f"shop-traffic: {' '.join(words)!r} is not one of {', '.join(PUBLIC)}.")
    main(words)
