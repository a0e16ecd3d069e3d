"""The daemon: AWS API, follower, instance metadata, name server, mailbox.

``local-cloud up`` starts it with the environment for moto. SIGTERM stops it; the command then stops
the hosts. After a kill -9, ``local-cloud up`` continues from the saved state.
"""

import logging
import signal
import sys
import threading
from datetime import datetime
from logging.handlers import RotatingFileHandler
from typing import Any, Protocol

from local_cloud.emulator import lifecycle, messages, repairs, roles, snapshot
from local_cloud.emulator.gate import Gate, Keeper
from local_cloud.emulator.server import Server
from local_cloud.errors import LocalCloudError
from local_cloud.follower import Follower
from local_cloud.imds import MetadataServer, Service
from local_cloud.mailbox import Mailbox
from local_cloud.metadata import CredentialCache
from local_cloud.metrics import Metrics
from local_cloud.names import NameServer, Resolver
from local_cloud.settings import Settings
from local_cloud.standalone import controllers_nameservers

LOG = logging.getLogger("local_cloud")
GONE = ("terminated", "shutting-down")


class Part(Protocol):
    """A part of the daemon that runs beside the others."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


def main() -> None:
    settings = Settings.load()
    log_to(settings)
    try:
        daemon = Daemon(settings)
    except LocalCloudError as error:
        sys.exit(str(error))
    daemon.run()


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
        self.keeper = Keeper(Gate(), lambda: snapshot.save(settings.state / "aws"))
        lifecycle.install()
        repairs.install()
        messages.install(Mailbox(settings.mail).deliver, self.keeper.note)
        metrics = Metrics(settings.state / "cloudwatch" / "snapshot")
        kept = snapshot.load(settings.state / "aws")
        LOG.info("starting %s", "from the saved state" if kept else "without saved state")
        address, servers = str(settings.gateway), controllers_nameservers()
        metadata = Service(find=find_by_address, credentials=CredentialCache(self.assume))
        self.parts: list[Part] = [
            self.keeper,
            metrics,
            MetadataServer(address, settings.metadata_port, metadata),
            NameServer(settings.gateway, Resolver(lifecycle.instances, servers)),
            Follower(settings, (address,), self.keeper.note),
            Server((address, settings.port), self.keeper, metrics.keeper, self.status),
        ]

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        for part in self.parts:
            part.start()
        LOG.info("serving %s", self.settings.endpoint)
        ended.wait()
        for part in reversed(self.parts):
            part.stop()
        LOG.info("stopped")

    def status(self) -> dict[str, Any]:
        """Return the status for ``local-cloud status``."""
        listed = [each for each in lifecycle.instances() if each.state != "terminated"]
        fields = ("id", "name", "state", "ip", "type")
        return {
            "endpoint": self.settings.endpoint,
            "not_saved": self.keeper.failure,
            "instances": [{field: getattr(each, field) for field in fields} for each in listed],
        }

    def assume(self, role: str, instance: str, region: str, now: datetime) -> roles.Credentials:
        """Create credentials that remain valid after a restart."""
        credentials = roles.assume(role, instance, region, now)
        self.keeper.note()
        return credentials


def find_by_address(address: str) -> lifecycle.Instance | None:
    """Return the instance with ``address`` that is not terminated."""
    listed = lifecycle.instances()
    return next((each for each in listed if each.ip == address and each.state not in GONE), None)


if __name__ == "__main__":
    main()
