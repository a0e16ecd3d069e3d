"""Is the release that answers the one that is meant? Servers name theirs to the proxy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from canary.state.base import Live
from canary.traffic.base import Status

UNSAID = "its servers do not name their release (header X-Release)"


def served(status: Status, colour: str) -> Live:
    """Return a colour with the one release that its servers answer as, if it is one."""
    releases = status.releases_on(colour)
    return Live(colour, releases[0] if len(releases) == 1 else "")


def disagreement(meant: Live, status: Status) -> str:
    """Say how what is meant to be live and what the proxy serves differ; nothing if they agree."""
    if status.live != meant.colour:
        return f"{meant} is meant to be live, but the proxy serves {served(status, status.live)}"
    found = status.releases_on(meant.colour)
    if len(found) > 1:
        return f"{meant.colour} is live, and its servers answer as {' and '.join(found)}"
    if found and meant.release and found[0] != meant.release:
        return f"{meant} is meant to be live, but {meant.colour} answers as {found[0]}"
    return ""


def name_one(environment: str, colours: Iterable[str]) -> str:
    """Return what to type where they differ."""
    options = " or ".join(f"--colour {colour}" for colour in dict.fromkeys(colours))
    return f"Name the colour that is right: canary promote --env {environment} {options}"


def exchanged(status: Status, expected: Mapping[str, str]) -> str:
    """Name the servers that answer as another release than the one that is judged."""
    wrong = {
        server: status.releases[server]
        for server, release in expected.items()
        if status.releases.get(server, release) != release
    }
    return ", ".join(
        f"{server} answers as {found}, not {expected[server]}" for server, found in wrong.items()
    )


def unsaid(status: Status, expected: Mapping[str, str]) -> tuple[str, ...]:
    """Return the servers that did not say just now which release they run."""
    return tuple(server for server in expected if server not in status.releases)
