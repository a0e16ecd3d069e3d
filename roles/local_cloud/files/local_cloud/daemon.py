"""The one process of the local cloud: AWS API, hosts' follower, metadata, names, mailbox.

Started by ``local-cloud up`` with moto's environment set. SIGTERM ends it in order, leaving
hosts to the command; after a kill -9, ``local-cloud up`` goes on where it was.
"""

import importlib
import importlib.util
import logging
import os
import signal
import threading
from logging.handlers import RotatingFileHandler
from typing import Any

from local_cloud.emulator import lifecycle, messages, repairs, roles, snapshot
from local_cloud.emulator.gate import Gate, Keeper
from local_cloud.emulator.server import Server
from local_cloud.follower import Follower
from local_cloud.imds import MetadataServer, Service
from local_cloud.lone import controllers_nameservers
from local_cloud.mailbox import Mailbox
from local_cloud.metadata import CredentialCache
from local_cloud.names import NameServer, Resolver
from local_cloud.settings import Settings

LOG = logging.getLogger("local_cloud")
CLOUDWATCH = "local_cloud.cloudwatch"


def main() -> None:
    settings = Settings.load()
    log_to(settings)
    Daemon(settings).run()


def log_to(settings: Settings) -> None:
    handler = RotatingFileHandler(settings.state / "daemon.log", maxBytes=5_000_000, backupCount=1)
    logging.basicConfig(
        handlers=[handler],
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("werkzeug").setLevel(logging.WARNING)


class Daemon:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        gate = Gate()
        self.keeper = Keeper(gate, lambda: snapshot.save(settings.state / "aws"))
        lifecycle.install()
        repairs.install()
        messages.install(Mailbox(settings.mail).deliver)
        self.cloudwatch = install_cloudwatch(settings)
        kept = snapshot.load(settings.state / "aws")
        LOG.info("begins %s", "where it was" if kept else "anew")
        address, names = str(settings.gateway), controllers_nameservers()
        self.parts: list[Any] = [
            self.keeper,
            Server(address, settings.port, gate, self.keeper),
            MetadataServer(address, settings.metadata_port, metadata_service()),
            NameServer(settings.gateway, Resolver(lifecycle.instances, names)),
            Follower(settings, (address,), self.keeper.note),
        ]

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        for part in self.parts:
            part.start()
        (self.settings.state / "daemon.pid").write_text(f"{os.getpid()}\n")
        LOG.info("serves %s", self.settings.endpoint)
        ended.wait()
        for part in reversed(self.parts):
            part.stop()
        LOG.info("ended")


def metadata_service() -> Service:
    def find(address: str) -> lifecycle.Instance | None:
        gone = ("terminated", "shutting-down")
        listed = lifecycle.instances()
        return next(
            (each for each in listed if each.ip == address and each.state not in gone), None
        )

    return Service(find=find, credentials=CredentialCache(roles.assume))


def install_cloudwatch(settings: Settings) -> Any:
    """Put our own CloudWatch in the place of moto's, where this package has it."""
    if importlib.util.find_spec(CLOUDWATCH) is None:
        return None
    module = importlib.import_module(CLOUDWATCH)
    install = getattr(module, "install", None)
    return install() if install is not None else None


if __name__ == "__main__":
    main()
