"""Routine events of an environment: replace, restart, rotate, renew, deploy."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from tests.chaos import disks
from tests.chaos.fault import Fault, Scene
from tests.chaos.hosts import DATA, PROXY, kill, on, power, shop, terminate
from tests.chaos.row import status
from tests.e2e.demo import address
from tests.support.paths import ROOT
from tests.support.releases import git, release

LOGS = "/var/log"
CERTIFICATE = ROOT / ".run/local/tls/shop.pem"
AWAY = 10
"""Seconds without a database."""
ROTATE = """
journalctl --rotate --vacuum-size=1
! command -v logrotate || logrotate --force /etc/logrotate.conf
"""


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=ROOT, check=False, capture_output=True, text=True)


def run_site(*words: str) -> None:
    """Run site.yml, as the owner of the environment would."""
    done = command("ansible-playbook", "site.yml", *words)
    if done.returncode:
        raise RuntimeError(f"site.yml: {done.stdout[-500:]}{done.stderr[-500:]}")


def replace_proxy(scene: Scene) -> None:
    """Terminate the proxy's instance and launch another; customers follow the DNS name."""
    terminate(PROXY)
    run_site()
    scene.load.host = address(PROXY)


def restart_proxy(_: Scene) -> None:
    power(PROXY, running=False)
    power(PROXY, running=True)


def replace_live_host(scene: Scene) -> None:
    terminate(scene.alive)
    run_site()


def rotate(scene: Scene) -> None:
    for host in (PROXY, DATA, scene.alive, scene.candidate):
        on(host, ROTATE)


def renew_certificate(_: Scene) -> None:
    """Let the role issue and install a new certificate; HAProxy has to serve it."""
    old = CERTIFICATE.read_bytes()
    CERTIFICATE.unlink()
    run_site("--tags", "proxy")
    if CERTIFICATE.read_bytes() == old:
        raise RuntimeError("the certificate is the old one")


def freeze_live(signal: str) -> Callable[[Scene], None]:
    """Return a fault that sends a signal to the shop of every live host."""

    def inflict(scene: Scene) -> None:
        for number in (1, 2):
            kill(shop(scene.live, number), "shop", signal)

    return inflict


def database_away(_: Scene) -> None:
    on(DATA, f"systemctl stop postgresql@15-main; sleep {AWAY}; systemctl start postgresql@15-main")


def deploy_other(scene: Scene) -> None:
    """Deploy another release onto the candidate, with the command; it must be refused."""
    made = release("intruder", "", f"A release that nobody judged, {time.time_ns()}")
    _refused("canary", "deploy", made, "--env", "local", "--colour", scene.idle)


def play_other(scene: Scene) -> None:
    """Deploy another release onto the candidate, with the playbook; it must be refused."""
    other = git("rev-parse", "--short=12", "HEAD~1")
    variables = ("-e", f"release={other}", "-e", f"colour={scene.idle}")
    _refused("ansible-playbook", "playbooks/deploy.yml", *variables)


def _refused(*words: str) -> None:
    """Run a command that must fail and must not change any host's release."""
    before = _releases()
    done = command(*words)
    after = _releases()
    if not done.returncode or before != after:
        raise RuntimeError(f"{' '.join(words[:2])} was not refused: {before} became {after}")


def _releases() -> dict[str, list[str]]:
    """Return the releases that the servers report, by colour."""
    return {colour: side["releases"] for colour, side in status()["colours"].items()}


OPERATION = (
    Fault(
        "logs fill a live host",
        lambda s: disks.fill(s.alive, LOGS),
        lambda s: disks.empty(s.alive, LOGS),
    ),
    Fault(
        "logs fill a candidate's host",
        lambda s: disks.fill(s.candidate, LOGS),
        lambda s: disks.empty(s.candidate, LOGS),
    ),
    Fault(
        "logs fill the proxy",
        lambda _: disks.fill(PROXY, LOGS),
        lambda _: disks.empty(PROXY, LOGS),
    ),
    Fault("logs are rotated on four hosts", rotate),
    Fault("the certificate is renewed", renew_certificate, pairs=False),
    Fault("canary deploy of another release to the candidate", deploy_other, pairs=False),
    Fault("deploy.yml of another release to the candidate", play_other, pairs=False),
    Fault("a live host is replaced", replace_live_host, pairs=False, minutes=True),
    Fault("every live shop hangs", freeze_live("STOP"), freeze_live("CONT"), pairs=False),
    Fault("the database restarts", lambda _: on(DATA, "systemctl restart postgresql@15-main")),
    Fault(f"the database is stopped for {AWAY} s", database_away, pairs=False, served=False),
    Fault("the proxy's host is restarted", restart_proxy, pairs=False, served=False),
    Fault("the proxy is replaced", replace_proxy, pairs=False, served=False),
)
