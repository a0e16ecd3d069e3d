"""The page of a canary, made from its files."""

from __future__ import annotations

from datetime import UTC, datetime

from canary.formatting import duration, percent
from canary.live.files import Snapshot
from canary.model import Verdict
from canary.policy import Policy
from canary.report import render_html
from canary.report.html import Live, template

QUIET = 120.0
"""Seconds without news after which the page says so."""


def page(snapshot: Snapshot, policy: Policy) -> str:
    """Return the page: the report so far, or the log before the first judgement."""
    live = Live(_word(snapshot), _sentence(snapshot), snapshot.version, _reason(snapshot))
    if snapshot.recording is not None:
        return render_html(policy, snapshot.recording, snapshot.judgements, live=live)
    events = [(f"{datetime.fromtimestamp(e.time, UTC):%H:%M:%S}", e) for e in snapshot.events]
    return template("starting.html").render(name=snapshot.name, live=live, events=events)


def nothing_yet(place: str) -> str:
    """Return the page before the first canary."""
    live = Live("WAITING", "no canary", "none", f"No canary has run in {place} yet")
    return template("starting.html").render(name=place, live=live, events=())


def unreadable(reason: str) -> str:
    """Return the page of a canary whose files cannot be read; it keeps asking."""
    live = Live("NO DATA", "its files cannot be read", "unreadable", reason)
    return template("starting.html").render(name="Canary", live=live, events=())


def note(snapshot: Snapshot, now: float) -> str:
    """Return a sentence if there has been no news for long; else an empty string."""
    quiet = now - snapshot.changed
    if snapshot.outcome is not None or quiet < QUIET:
        return ""
    return f"No news for {duration(int(quiet))}: a hook may still run, or canary run was stopped."


def _word(snapshot: Snapshot) -> str:
    if snapshot.outcome is not None:
        return str(snapshot.outcome["verdict"] or "COULD NOT RUN")
    if not snapshot.judgements:
        return "STARTING"
    match snapshot.judgements[-1].verdict:
        case Verdict.FAIL:
            return "FAIL"
        case Verdict.PASS:
            return "PASS so far"
        case Verdict.INCONCLUSIVE:
            return "WATCHING"


def _sentence(snapshot: Snapshot) -> str:
    """Return the candidate's share of traffic now."""
    if snapshot.outcome is not None:
        return str(snapshot.outcome["traffic"])
    if snapshot.recording is None:
        return "no traffic on the candidate yet"
    step = snapshot.recording.steps[-1]
    return f"{percent(step.candidate)} of traffic on {snapshot.recording.candidate.colour}"


def _reason(snapshot: Snapshot) -> str:
    if snapshot.outcome is not None:
        return str(snapshot.outcome["reason"])
    if snapshot.recording is None:
        return snapshot.events[-1].sentence if snapshot.events else "The canary starts"
    return ""
