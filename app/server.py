"""Granian, told what the settings say; a stop first lets the proxy look away."""

from __future__ import annotations

import logging
import threading
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.server import Server

from app import logs
from app.settings import Settings
from app.wsgi import Wsgi, create_app

log = logging.getLogger("shop")
#: Granian replaces the handlers of its own logger; these hand its lines to ours.
_PASS_ON = {"handlers": [], "level": "INFO", "propagate": True}
_LOGGING = {"handlers": {}, "loggers": {"_granian": _PASS_ON, "granian.access": _PASS_ON}}


class DrainingServer(Server):  # type: ignore[misc]
    """On SIGTERM: not ready at once, closed ``drain_seconds`` later; a second signal is obeyed."""

    settings: Settings

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        stop = partial(super().signal_handler_interrupt, *args, **kwargs)
        if not self.settings.drain_seconds or self.settings.lame_duck_file.exists():
            stop()
            return
        self.settings.lame_duck_file.touch()
        threading.Timer(self.settings.drain_seconds, stop).start()


def serve(settings: Settings) -> int:
    """Serve until stopped; return the exit status."""
    logs.configure(settings)
    settings.run_directory.mkdir(parents=True, exist_ok=True)
    settings.lame_duck_file.unlink(missing_ok=True)
    server = DrainingServer(
        "app.wsgi",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        loop=Loops.asyncio,
        http=HTTPModes.http1,
        workers=settings.workers,
        blocking_threads=settings.threads,
        backlog=2048,
        backpressure=512,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=10,
        log_dictconfig=_LOGGING,
    )
    server.settings = settings
    try:
        server.serve(target_loader=partial(_load, settings), wrap_loader=False)
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def _load(settings: Settings) -> Wsgi:
    """Run in each worker, after the fork."""
    return create_app(settings)
