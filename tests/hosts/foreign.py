"""Another team's three hosts: a proxy and an app of each colour, without AWS."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import yaml

from tests.support.local_cloud_machine import Cloud, output
from tests.support.paths import ROOT

BIN = Path(sys.executable).parent
HOSTS = {"proxy": 10, "blue": 11, "green": 12}
PLAYBOOK = """\
- name: Configure the proxy
  hosts: all
  become: true
  gather_facts: false
  roles: [cart.canary.proxy]
"""
DEPLOY = """\
#!/bin/sh
# deploy.sh COMMIT RELEASE COLOUR
set -eu
case $3 in blue) host=BLUE ;; green) host=GREEN ;; esac
git show "$1:app.py" | ssh OPTIONS "admin@$host" "cat > /tmp/app.py
sudo systemctl stop app 2> /dev/null || true
sudo install -m 755 /tmp/app.py /opt/app.py
sudo systemd-run --quiet --collect --unit=app python3 /opt/app.py $2"
for _ in $(seq 50); do
  curl --silent --fail "http://$host:8000/ready" > /dev/null && exit 0
  sleep 0.2
done
echo "$host does not respond" >&2
exit 1
"""


@dataclass(frozen=True)
class Hosts:
    """The hosts, and the directories of the users who release to them."""

    addresses: dict[str, str]
    directory: Path
    key: Path

    @property
    def laptop(self) -> Path:
        return self.directory / "laptop"

    def canary(
        self, *words: str, cwd: Path | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run ``canary`` where neither AWS variables nor boto3 exist."""
        done = subprocess.run(
            [str(BIN / "canary"), *words],
            cwd=cwd or self.laptop,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done

    def environment(self) -> dict[str, str]:
        """Return the environment variables of a user without AWS."""
        foreign = ("AWS_", "CART_CANARY", "LOCAL_CLOUD", "CANARY_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return {**kept, "CANARY_ENV": "prod", "PYTHONPATH": f"{self.directory}/without-aws:{ROOT}"}


def start(cloud: Cloud, directory: Path) -> Hosts:
    """Boot the hosts, configure the proxy, and write a repository with its releases."""
    key = directory / "id_ed25519"
    output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    network = cloud.settings.network
    addresses = {name: str(network[200 * 256 + number]) for name, number in HOSTS.items()}
    for name, address in addresses.items():
        cloud.command("host", "start", f"foreign-{name}", f"--ip={address}", f"--key={key}")
    hosts = Hosts(addresses, directory, key)
    _configure(hosts, str(cloud.settings.gateway))
    _write_repository(hosts)
    for module in ("boto3", "botocore"):
        path = directory / "without-aws" / module / "__init__.py"
        path.parent.mkdir(parents=True)
        path.write_text('raise ImportError("there is no AWS here")\n')
    return hosts


def stop(cloud: Cloud) -> None:
    for name in HOSTS:
        cloud.command("host", "stop", f"foreign-{name}")


def _configure(hosts: Hosts, gateway: str) -> None:
    variables = {
        "ansible_host": hosts.addresses["proxy"],
        "ansible_user": "admin",
        "ansible_ssh_private_key_file": str(hosts.key),
        "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
        "proxy_canary_key": str(hosts.directory / "canary_ed25519"),
        "proxy_sticky": ["header X-User", "address"],  # one machine sends the whole load
        "proxy_clients": {"trusted": [f"{gateway}/32"]},  # this machine is the CDN, too
        "proxy_servers": [
            {"name": f"{colour}-1", "colour": colour, "address": address, "port": 8000}
            for colour, address in hosts.addresses.items()
            if colour != "proxy"
        ],
    }
    inventory = hosts.directory / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": {"proxy": variables}}}))
    (hosts.directory / "proxy.yml").write_text(PLAYBOOK)
    command = ["ansible-playbook", "-i", str(inventory), str(hosts.directory / "proxy.yml")]
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_CACHE_PLUGIN": "memory", "ANSIBLE_HOST_KEY_CHECKING": "false"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    found = output("ssh-keyscan", "-t", "ed25519", hosts.addresses["proxy"])
    (hosts.directory / "known_hosts").write_text(found)


def _write_repository(hosts: Hosts) -> None:
    hosts.laptop.mkdir()
    options = f"-i {hosts.key} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -q"
    script = DEPLOY.replace("OPTIONS", options)
    for colour in ("blue", "green"):
        script = script.replace(colour.upper(), hosts.addresses[colour])
    (hosts.laptop / "deploy.sh").write_text(script)
    (hosts.laptop / "deploy.sh").chmod(0o755)
    app = (ROOT / "tests/support/small_app.py").read_text()
    git = ["git", "-C", str(hosts.laptop), "-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run([*git, "init", "-q"], check=True)
    for tag, errors in (("v1", "0.0"), ("v2", "0.00"), ("v3", "0.15")):
        text = app.replace("ERRORS = 0.0", f"ERRORS = {errors}")
        (hosts.laptop / "app.py").write_text(text)
        subprocess.run([*git, "add", "app.py"], check=True)
        subprocess.run([*git, "commit", "-qm", tag], check=True)
        subprocess.run([*git, "tag", tag], check=True)
    write_policy(hosts, hosts.laptop)


def write_policy(hosts: Hosts, directory: Path) -> Path:
    """Write the policy of a user without AWS and without own metrics."""
    policy = {
        "version": 1,
        "period": "5s",
        "warmup": "5s",
        "minimum": "30s",
        "maximum": "3m",
        "steps": [0.2, 0.5],
        "metrics": [
            {"name": name, "kind": "count", "source": f"proxy.{name}", "negligible": "2%"}
            for name in ("errors", "retries")
        ],
        "environment": {
            "name": "prod",
            "source": "proxy",
            "state": "file",
            "traffic": {
                "kind": "haproxy",
                "host": hosts.addresses["proxy"],
                "key": str(hosts.directory / "canary_ed25519"),
                "known_hosts": str(hosts.directory / "known_hosts"),
            },
            "hooks": {
                "deploy": {"command": ["./deploy.sh", "{commit}", "{release}", "{colour}"]},
            },
        },
    }
    path = directory / ".run/prod/canary.yml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(policy))
    return path


@contextlib.contextmanager
def shoppers(hosts: Hosts) -> Iterator[None]:
    """Send about eighty requests a second, each from a new customer."""
    stopping, users = threading.Event(), count()
    url = f"http://{hosts.addresses['proxy']}/"

    def shop() -> None:
        while not stopping.wait(0.04):
            request = urllib.request.Request(url, headers={"X-User": str(next(users))})
            with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=5):  # noqa: S310
                pass

    threads = [threading.Thread(target=shop) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
