"""The collection is installed into an empty directory, and a playbook uses its roles by name."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.support import collection, wheels
from tests.support.session_cloud import SessionCloud

pytestmark = [pytest.mark.timeout(900)]
NAME = "stranger"
PLAYBOOK = """\
- name: Somebody else's playbook
  hosts: all
  become: true
  gather_facts: false
  pre_tasks:
    - name: Put a release there
      ansible.builtin.file: {path: /opt/demo/releases/one, state: directory, mode: "0755"}
    - name: Make the release current
      ansible.builtin.file: {src: /opt/demo/releases/one, path: /opt/demo/current, state: link}
    - name: Write a page
      ansible.builtin.copy:
        {content: hello, dest: /opt/demo/current/index.html, mode: "0644"}
  roles:
    - cart.canary.base
    - cart.canary.service
    - cart.canary.proxy
  tasks:
    - name: Ask the program through the proxy
      ansible.builtin.uri: {url: "http://127.0.0.1:8080/", return_content: true}
      register: answer
      until: answer.content | default('') == 'hello'
      retries: 30
      delay: 1
"""


@dataclass(frozen=True)
class Host:
    """A host of the local cloud without EC2, and its SSH key."""

    address: str
    key: Path


@pytest.fixture(scope="module")
def host(cloud: SessionCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    key = tmp_path_factory.mktemp("key") / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    address = str(cloud.settings.network[200 * 256 + 10])
    cloud.output("local-cloud", "host", "start", NAME, f"--ip={address}", f"--key={key}")
    yield Host(address, key)
    cloud.output("local-cloud", "host", "stop", NAME)


def variables(host: Host, directory: Path) -> dict[str, object]:
    """Return the inventory variables for the host and the three roles."""
    return {
        "ansible_host": host.address,
        "ansible_user": "admin",
        "ansible_ssh_private_key_file": str(host.key),
        "base_hostname": NAME,
        "service_name": "demo",
        "service_command": "/usr/bin/python3 -m http.server 8000",
        "service_health_url": "http://127.0.0.1:8000/",
        "proxy_port": 8080,
        "proxy_check": {"path": "/"},
        "proxy_canary_key": str(directory / "canary"),
        "proxy_servers": [
            {"name": "blue-1", "colour": "blue", "address": "127.0.0.1", "port": 8000}
        ],
    }


def test_a_playbook_elsewhere_uses_the_roles_by_their_full_names(
    host: Host, tmp_path: Path
) -> None:
    archive = collection.build(wheels.checkout(tmp_path / "checkout"), tmp_path)
    collection.install(archive, tmp_path / "collections")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "play.yml").write_text(PLAYBOOK, encoding="utf-8")
    hosts = {"all": {"hosts": {NAME: variables(host, elsewhere)}}}
    (elsewhere / "hosts.yml").write_text(yaml.safe_dump(hosts), encoding="utf-8")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    done = subprocess.run(
        [str(collection.BIN / "ansible-playbook"), "-i", "hosts.yml", "play.yml"],
        cwd=elsewhere,
        env={
            **inherited,
            "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections"),
            "ANSIBLE_HOST_KEY_CHECKING": "false",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "TASK [cart.canary.proxy : " in done.stdout
