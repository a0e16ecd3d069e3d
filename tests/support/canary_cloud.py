"""AWS for a canary in a separate process: ``python -m tests.support.canary_cloud DIR [follow]``.

The API and CloudWatch of the local cloud, on a free loopback port, without hosts and root.
Lines on standard input change instances: ID EXPECTED STATE. With ``follow``, each instance gets the
state that its API call asks for at once.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import ModuleType

from local_cloud.emulator import environment

NEXT = {"pending": "running", "stopping": "stopped", "shutting-down": "terminated"}


def main(directory: Path, *, following: bool) -> None:
    os.environ.update(environment(directory / "images.json", "0123456789ab", "2026-01-01"))
    # moto reads its environment at import
    from local_cloud.emulator import lifecycle, repairs
    from local_cloud.emulator.gate import Gate, Keeper
    from local_cloud.emulator.server import Server
    from local_cloud.metrics import Metrics

    lifecycle.install()
    repairs.install()
    metrics = Metrics(directory / "metrics")
    idle = Keeper(Gate(), lambda: None)
    server = Server(("127.0.0.1", 0), idle, metrics.keeper, lambda: {"state": "up"})
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    for part in (idle, metrics, server):
        part.start()
    sys.stdout.write(json.dumps({"port": server.port}) + "\n")
    sys.stdout.flush()
    if following:
        threading.Thread(target=follow, args=(lifecycle,), daemon=True).start()
    for line in sys.stdin:
        instance, expected, state = line.split()
        lifecycle.settle(instance, expected, state)
    os._exit(0)


def follow(lifecycle: ModuleType) -> None:
    while True:
        for instance in lifecycle.instances():
            if instance.state in NEXT:
                lifecycle.settle(instance.id, instance.state, NEXT[instance.state])
        time.sleep(0.1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), following="follow" in sys.argv[2:])
