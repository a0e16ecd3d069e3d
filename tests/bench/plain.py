"""The plain way: Ansible's defaults, a template with a reload, a copy with a restart.

It is the usual first solution. It works on the same hosts, with its own HAProxy and shop.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.demo import address
from tests.support.paths import ROOT

# The hosts and how to reach them. Everything else is Ansible's default, except the setting that
# # lets it become PostgreSQL's user without pipelining.
CONFIGURATION = f"""
[defaults]
inventory = {ROOT}/inventory/local
collections_path = {ROOT}/.collections
allow_world_readable_tmpfiles = true
"""
PROXY = """
global
  stats socket /run/plain.sock
defaults
  mode http
  timeout connect 1s
  timeout client 10s
  timeout server 10s
frontend plain
  bind 127.0.0.1:8099
  default_backend shop
backend shop
  server blue {blue}:8080 weight {{{{ 100 - share | int }}}}
  server green {green}:8080 weight {{{{ share }}}}
"""
WEIGHTS = """
- hosts: proxy
  become: true
  tasks:
    - ansible.builtin.template:
        src: plain.cfg.j2
        dest: /tmp/plain.cfg
        mode: "0644"
        validate: haproxy -c -q -f %s
    - ansible.builtin.shell: >-
        haproxy -D -f /tmp/plain.cfg -p /run/plain.pid -sf $(cat /run/plain.pid 2>/dev/null)
"""
UNIT = """
[Service]
WorkingDirectory=/opt/plain
EnvironmentFile=/etc/shop/shop.env
# Not by Environment=, which a file overrules.
ExecStart=/usr/bin/env SHOP_PORT=8081 SHOP_METRICS_SINK=none SHOP_STATE_DIRECTORY=/tmp/plain \
  SHOP_RUN_DIRECTORY=/tmp/plain/run /opt/plain/venv/bin/python -m app
"""
DEPLOY = """
- hosts: app_{colour}
  become: true
  tasks:
    - ansible.builtin.file: {{path: /opt/plain, state: directory, mode: "0755"}}
    - ansible.builtin.unarchive: {{src: "{archive}", dest: /opt/plain}}
    - ansible.builtin.command: python3 -m venv /opt/plain/venv
    - ansible.builtin.command: >-
        /opt/plain/venv/bin/pip install --quiet --no-index --find-links /opt/plain/wheels
        --requirement /opt/plain/app/requirements.txt
    - ansible.builtin.template:
        src: plain.service.j2
        dest: /etc/systemd/system/plain.service
        mode: "0644"
    - ansible.builtin.systemd_service: {{name: plain, state: restarted, daemon_reload: true}}
    - ansible.builtin.uri: {{url: "http://127.0.0.1:8081/ready"}}
      register: answer
      until: answer.status == 200
      retries: 60
      delay: 1
"""


class Plain:
    """The plain way, in a separate directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "ansible.cfg").write_text(CONFIGURATION)
        blue, green = address("local-app-blue-1"), address("local-app-green-1")
        (folder / "plain.cfg.j2").write_text(PROXY.format(blue=blue, green=green))
        (folder / "plain.service.j2").write_text(UNIT)
        (folder / "weights.yml").write_text(WEIGHTS)

    def weights(self, share: int) -> float:
        """Give green a share, and return the seconds that it took."""
        return self._run(str(self._folder / "weights.yml"), "-e", f"share={share}")

    def deploy(self, colour: str, archive: Path) -> float:
        """Put a release on a colour's hosts, and return the seconds that it took."""
        playbook = self._folder / "deploy.yml"
        playbook.write_text(DEPLOY.format(colour=colour, archive=archive))
        return self._run(str(playbook))

    def site(self) -> float:
        """Run site.yml, and return the seconds that it took."""
        return self._run("site.yml")

    def _run(self, *words: str) -> float:
        environment = {**os.environ, "ANSIBLE_CONFIG": str(self._folder / "ansible.cfg")}
        began = time.monotonic()
        done = subprocess.run(
            ["ansible-playbook", *words],
            cwd=ROOT,
            check=False,
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"ansible-playbook {' '.join(words)}: {done.stdout[-3000:]}")
        return time.monotonic() - began


@contextmanager
def plain(colour: str) -> Iterator[Plain]:
    """Yield the plain way, and remove all of it from the hosts afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            yield Plain(Path(folder))
        finally:
            _clean("local-proxy-1", "kill $(cat /run/plain.pid); rm -f /run/plain.* /tmp/plain.cfg")
            for number in (1, 2):
                files = "/opt/plain /etc/systemd/system/plain.service /tmp/plain"
                stop = f"systemctl stop plain; rm -rf {files}; systemctl daemon-reload"
                _clean(f"local-app-{colour}-{number}", stop)


def _clean(host: str, command: str) -> None:
    ssh = ["local-cloud", "ssh", host, f"sudo sh -c '{command}'"]
    subprocess.run(ssh, check=False, capture_output=True)
