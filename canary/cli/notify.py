"""Tells people about a canary, with apprise, and Prometheus, with a file."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from canary.cli.common import Place
from canary.cli.progress import Observers
from canary.errors import PolicyError
from canary.extras import needs
from canary.model import Event
from canary.rollout.context import Request
from canary.rollout.metrics_file import MetricsFile
from canary.rollout.names import DRILL
from canary.rollout.notify import Notifier, Send
from canary.rollout.ports import Observer

VARIABLE = re.compile(r"\$\{(\w+)\}")


@contextmanager
def watched_by(
    place: Place, request: Request, *observers: Observer, earlier: Sequence[Event] = ()
) -> Iterator[Observer]:
    """Yield the observers of a canary as one, with those that the environment names.

    ``earlier`` are the events of earlier processes of this canary.
    """
    environment = place.environment
    if environment.metrics_file and not request.name.endswith(DRILL):  # no release is judged
        path = Path(environment.metrics_file)
        began = earlier[0].time if earlier else None
        observers = (*observers, MetricsFile(path, environment.name, _complain, began))
    if not environment.notify:
        yield Observers(*observers)
        return
    about = f"canary {request.candidate or request.name} on {environment.name}"
    send = sender(addresses(environment.notify, os.environ))
    notifier = Notifier(send, about, _complain, earlier)
    try:
        yield Observers(*observers, notifier)
    finally:
        notifier.close()


def _complain(sentence: str) -> None:
    click.echo(f"Warning: {sentence}", err=True)


def addresses(templates: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """Return the addresses, with ``${NAME}`` replaced by that environment variable."""
    names = {name for template in templates for name in VARIABLE.findall(template)}
    if missing := sorted(name for name in names if not environ.get(name)):
        raise PolicyError(
            f"environment: notify needs {', '.join(missing)}, which is not set. Type: "
            f"export {missing[0]}=ADDRESS"
        )
    return [VARIABLE.sub(lambda found: environ[found[1]], template) for template in templates]


def sender(urls: Sequence[str]) -> Send:
    """Return what sends a title and a body to every address."""
    with needs("notify", "environment: notify"):
        from apprise import Apprise

    log = logging.getLogger("apprise")  # it would print addresses, which hold secrets
    log.addHandler(logging.NullHandler())
    log.propagate = False
    service = Apprise()
    for number, url in enumerate(urls, start=1):
        if not service.add(url):  # an address holds secrets, so only its kind is printed
            kind = f"{url.split('://')[0]}://..." if "://" in url else "it has no ://"
            raise PolicyError(
                f"environment: notify: item {number} ({kind}) is no address that apprise knows. "
                "See https://appriseit.com/services/"
            )
    return lambda title, body: bool(service.notify(title=title, body=body))
