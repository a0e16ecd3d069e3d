"""A canary that another machine controls, as seen from the proxy and the state."""

from __future__ import annotations

import json
from dataclasses import dataclass
from time import monotonic, sleep

import click

from canary.cli.assemble import state_of, traffic_of
from canary.cli.common import Place
from canary.cli.ended import ending_of
from canary.errors import CanaryError, ExitStatus, StateError
from canary.formatting import percent
from canary.reading import read_json
from canary.state.base import Holder, State
from canary.traffic.base import Status, Traffic

POLL = 2.0
STOP_SECONDS = 300.0
"""Time limit for another machine to notice that its canary was stopped."""


@dataclass(slots=True)
class Elsewhere:
    """A canary whose files are on another machine."""

    place: Place
    holder: Holder
    state: State
    traffic: Traffic

    @classmethod
    def of(cls, place: Place, canary: str | None) -> Elsewhere | None:
        """Return the canary that runs elsewhere, or None if its files are here."""
        if canary is not None and (place.canaries / canary).is_dir():
            return None
        state = state_of(place.environment)
        holder = state.holder()
        if holder is None or (place.canaries / holder.canary).is_dir():
            return None
        if canary not in (None, holder.canary):
            return None
        return cls(place, holder, state, traffic_of(place.environment))

    def follow(self, *, as_json: bool) -> ExitStatus:
        """Show the weight of the candidate until the canary has ended, and how it ended."""
        click.echo(f"Canary {self.holder.canary} is controlled by {self.holder.who}", err=True)
        shown = ""
        while self._runs():
            if (line := self._line()) != shown:
                click.echo(line, err=True)
            shown = line
            sleep(POLL)
        return self._tell(as_json=as_json)

    def stop(self, *, as_json: bool) -> ExitStatus:
        """Return the traffic to the live colour. The canary notices at its next look, and ends."""
        name, who = self.holder.canary, self.holder.who
        status = self.traffic.status()
        if status.lease_until is None:
            raise StateError(
                f"Canary {name} of {who} has no traffic yet, so it cannot be stopped from here. "
                "Stop it there, or repeat this when canary status shows traffic on the candidate"
            )
        self.traffic.release()
        click.echo(f"{status.live} carries all traffic; waiting for {who} to notice", err=True)
        patience = monotonic() + STOP_SECONDS
        while self._runs():
            if monotonic() > patience:
                raise StateError(
                    f"{status.live} carries all traffic, but canary {name} of {who} still holds "
                    "the lock. If its process is dead, the next canary takes the lock"
                )
            sleep(POLL)
        return self._tell(as_json=as_json)

    def _runs(self) -> bool:
        found = self.state.holder()
        return found is not None and found.canary == self.holder.canary

    def _line(self) -> str:
        try:
            return _weights(self.traffic.status())
        except CanaryError as error:
            return str(error)

    def _tell(self, *, as_json: bool) -> ExitStatus:
        key = f"canaries/{self.holder.canary}/outcome.json"
        if self.state.find(key) is None:
            raise StateError(
                f"Canary {self.holder.canary} has ended. Its outcome is on its own machine: "
                f"{self.holder.who}"
            )
        document = read_json(self.state.fetch(key))
        if as_json:
            click.echo(json.dumps(document, indent=2, sort_keys=True))
        else:
            click.echo(ending_of(document))
        return ExitStatus(document["exit_status"])


def _weights(status: Status) -> str:
    colours = sorted({name.rpartition("-")[0] for name in status.weights})
    shares = [f"{colour} carries {percent(status.share(colour))} of traffic" for colour in colours]
    return ", ".join(shares)
