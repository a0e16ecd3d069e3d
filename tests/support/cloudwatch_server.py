"""A moto server with our CloudWatch in it, as a process: ``python -m ... STATE_FILE [plain]``.

It prints its address when it listens. On SIGTERM it writes the state file and exits. With ``plain``
it is unmodified moto.
"""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path

from moto.server import ThreadedMotoServer

from local_cloud.cloudwatch import install


def main(state: Path, *, plain: bool) -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    if plain:
        server.start()
    else:
        cloudwatch = install()
        server.start()
        if state.exists():
            cloudwatch.restore(state)
        cloudwatch.start()
    host, port = server.get_host_and_port()
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    signal.sigwait([signal.SIGTERM])
    if not plain:
        cloudwatch.stop()
        cloudwatch.snapshot(state)
    server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), plain="plain" in sys.argv[2:])
