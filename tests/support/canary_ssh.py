"""Replaces ssh and sudo: runs ``shop-traffic`` on a HAProxy of this machine.

A host uses a systemd timer for the lease; here a sleeping process replaces it.
"""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "roles/proxy/files"))

from shop_traffic import cli  # noqa: E402 - the path comes first
from shop_traffic.commands import Traffic  # noqa: E402
from shop_traffic.config import RefusedError, load  # noqa: E402
from shop_traffic.memory import Memory  # noqa: E402
from shop_traffic.runtime import Runtime  # noqa: E402

CONFIG = Path(os.environ["CANARY_TEST_PROXY"])


class Sleeper:
    """A lease that expires by itself. After a renewal its name is outdated, so it does nothing."""

    def arm(self, seconds: float) -> str:
        name = os.urandom(4).hex()
        line = f"sleep {seconds}; exec {sys.executable} {__file__} x@y release --expired {name}"
        subprocess.Popen(
            ["/bin/sh", "-c", line],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return name

    def disarm(self, name: str) -> None:
        """Do nothing: an outdated lease has no effect."""


def words(arguments: list[str]) -> list[str]:
    """Return the words after the destination of an ssh command line, as the proxy splits them."""
    place = next(n for n, word in enumerate(arguments) if "@" in word)
    return shlex.split(" ".join(arguments[place + 1 :]))


def main() -> None:
    asked = cli.parser().parse_args(words(sys.argv[1:]))
    config = load(CONFIG)
    runtime = Runtime(config.socket, config.backend)
    try:
        answer = cli.answer(Traffic(config, runtime, Memory(config.directory), Sleeper()), asked)
    except RefusedError as error:
        sys.exit(f"shop-traffic: {error}")
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
