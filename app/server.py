"""The service: Granian and the housekeeper.

A stop first waits until the proxy sends no more requests, then finishes open requests, then
publishes the last metrics.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.server import Server

from app import checks, logs
from app.errors import StoreUnavailableError
from app.faults import Faults
from app.metrics.publisher import metrics_directory
from app.metrics.restarts import note_start
from app.metrics.slots import Counter, Slot
from app.settings import RELEASE_DIRECTORY, Settings, SettingsError
from app.store import open_store
from app.wsgi import Wsgi, create_app

log = logging.getLogger("shop")
#: Granian replaces the handlers of its own logger; these forward its lines to ours.
_PASS_ON = {"handlers": [], "level": "INFO", "propagate": True}
_LOGGING = {"handlers": {}, "loggers": {"_granian": _PASS_ON, "granian.access": _PASS_ON}}


class DrainingServer(Server):  # type: ignore[misc, valid-type]
    """On SIGTERM: not ready now, closed after ``drain_seconds``; a second SIGTERM stops at once."""

    settings: Settings

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        stop = partial(super().signal_handler_interrupt, *args, **kwargs)
        if not self.settings.drain_seconds or self.settings.lame_duck_file.exists():
            stop()
            return
        self.settings.lame_duck_file.touch()
        threading.Timer(self.settings.drain_seconds, stop).start()


class HousekeeperProcess:
    """Keeps a housekeeper running, and lets the last one publish the remaining metrics."""

    def __init__(self, settings: Settings) -> None:
        self._environment = {**os.environ, **_absolute(settings)}
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()

    def start(self) -> None:
        self._running()
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        process = self._running()
        process.terminate()
        try:
            process.wait(8)
        except subprocess.TimeoutExpired:
            process.kill()

    def _watch(self) -> None:
        while not self._stopping.wait(1):
            self._running()

    def _running(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._process and self._process.poll() is not None:
                log.error("the housekeeper ended with status %s", self._process.returncode)
                self._process = None
            self._process = self._process or self._spawn()
            return self._process

    def _spawn(self) -> subprocess.Popen[bytes]:
        # Blocked until the child handles it, so that no stop signal is lost.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "app.housekeeper"],
                cwd=RELEASE_DIRECTORY,  # this release: `current` may change before a restart
                env=self._environment,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve(settings: Settings) -> int:
    """Serve until stopped; return the exit status."""
    logs.configure(settings)
    _prepare(settings)
    server = _server(settings)
    own = Slot(metrics_directory(settings))
    own.count(Counter.WORKERS_WANTED, settings.workers)
    server.on_reload(lambda: own.count(Counter.WORKERS_WANTED, settings.workers))
    housekeeper = HousekeeperProcess(settings)
    housekeeper.start()
    try:
        server.serve(target_loader=partial(_load, settings), wrap_loader=False)
    except SystemExit as stopped:
        return int(stopped.code or 0)
    finally:
        housekeeper.stop()
    return 0


def _prepare(settings: Settings) -> None:
    """Validate the settings, reset the counters and migrate the store."""
    Faults(settings)  # rejects faults that are not allowed
    for name, port in (
        ("SHOP_PORT", settings.port),
        ("SHOP_HEALTH_PORT", settings.health_port),
    ):
        _port_must_be_free(settings.host, name, port)
    for directory in (settings.state_directory, settings.run_directory):
        directory.mkdir(parents=True, exist_ok=True)
    settings.lame_duck_file.unlink(missing_ok=True)
    (settings.run_directory / "published").unlink(missing_ok=True)
    shutil.rmtree(metrics_directory(settings), ignore_errors=True)
    note_start(settings)
    store = open_store(settings)
    try:
        store.migrate(settings.migration_seconds)
    except StoreUnavailableError as error:
        log.warning("starting without a store: %s", error.reason)
    finally:
        store.close()


def _port_must_be_free(host: str, name: str, port: int) -> None:
    """Reject a used port. Granian would share it (SO_REUSEPORT), and nobody would notice."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"SHOP_HOST and {name} are {host}:{port}, "
                f"which is not available ({error.strerror}); set another {name}."
            ) from error


def _absolute(settings: Settings) -> dict[str, str]:
    """Return settings with absolute paths, independent of the working directory."""
    return {
        "SHOP_STATE_DIRECTORY": str(settings.state_directory.absolute()),
        "SHOP_RUN_DIRECTORY": str(settings.run_directory.absolute()),
        "SHOP_DATABASE_URL": settings.database_url,
    }


def _server(settings: Settings) -> DrainingServer:
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
    return server


def _load(settings: Settings) -> Wsgi:
    """Return the application. This runs in each worker after the fork."""
    slot = Slot(metrics_directory(settings))
    slot.count(Counter.WORKER_STARTS)
    shop = create_app(settings, slot)
    checks.listen(settings, shop)
    return shop
