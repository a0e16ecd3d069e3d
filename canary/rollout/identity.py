"""Compares the release that servers report to the proxy with the intended one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from canary.state.base import Live
from canary.traffic.base import Status

NO_RELEASE = "its servers do not report their release (header X-Release)"


def served(status: Status, colour: str) -> Live:
    """Return a colour with the release that its servers report, if all report the same."""
    releases = status.releases_on(colour)
    return Live(colour, releases[0] if len(releases) == 1 else "")


def disagreement(meant: Live, status: Status) -> str:
    """Return how the intended live release and the served one differ; empty if they agree."""
    if status.live != meant.colour:
        return f"{meant} should be live, but the proxy serves {served(status, status.live)}"
    found = status.releases_on(meant.colour)
    if len(found) > 1:
        return f"{meant.colour} is live, and its servers report {' and '.join(found)}"
    if found and meant.release and found[0] != meant.release:
        return f"{meant} should be live, but {meant.colour} reports {found[0]}"
    return ""


def name_one(environment: str, colours: Iterable[str]) -> str:
    """Return the command that resolves a difference."""
    options = " or ".join(f"--colour {colour}" for colour in dict.fromkeys(colours))
    return f"Name the correct colour: canary promote --env {environment} {options}"


def exchanged(status: Status, expected: Mapping[str, str]) -> str:
    """Return the servers that report another release than the judged one, as sentences."""
    wrong = {
        server: status.releases[server]
        for server, release in expected.items()
        if status.releases.get(server, release) != release
    }
    return ", ".join(
        f"{server} reports {found}, not {expected[server]}" for server, found in wrong.items()
    )


def without_release(status: Status, expected: Mapping[str, str]) -> tuple[str, ...]:
    """Return the servers that did not report their release."""
    return tuple(server for server in expected if server not in status.releases)
