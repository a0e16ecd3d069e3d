"""The emulator in a separate process, without hosts and without root.

``python -m tests.unit.local_cloud.process DIRECTORY`` serves AWS on a free port of loopback and
keeps its state in DIRECTORY. Each line on stdin, ``<instance> <expected> <state>``, settles one
instance as the follower would.
"""

import json
import os
import sys
from pathlib import Path

from local_cloud.emulator import environment

IMAGE_KEY = "0123456789ab"


def main(directory: Path) -> None:
    catalogue = directory / "images.json"
    os.environ.update(environment(catalogue, IMAGE_KEY, "2026-01-01T00:00:00.000Z"))
    # moto reads its environment at import
    from local_cloud.emulator import lifecycle, messages, repairs, snapshot
    from local_cloud.emulator.gate import Gate, Keeper
    from local_cloud.emulator.server import Server
    from local_cloud.mailbox import Mailbox

    keeper = Keeper(Gate(), lambda: snapshot.save(directory / "aws"))
    lifecycle.install()
    repairs.install()
    messages.install(Mailbox(directory / "mail").deliver, keeper.note)
    snapshot.load(directory / "aws")
    idle = Keeper(Gate(), lambda: None)
    server = Server(("127.0.0.1", 0), keeper, idle, lambda: {"state": "up"})
    for part in (keeper, idle, server):
        part.start()
    say({"port": server.port})
    for line in sys.stdin:
        instance, expected, state = line.split()
        say({"settled": lifecycle.settle(instance, expected, state)})
    os._exit(0)


def say(fact: object) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
