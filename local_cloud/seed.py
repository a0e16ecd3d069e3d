"""The files that a new host gets before its first boot."""

import os
import uuid
from pathlib import Path

from local_cloud.commands import run
from local_cloud.host import Host
from local_cloud.settings import Settings

ADMIN = 1000
NAMESPACE = uuid.UUID("6f0a4f5e-3d3b-4f0c-9a53-0d2f5d1c9b11")


class Disk:
    """Files in the upper directory of an overlay. Parent directories get the modes of the image."""

    def __init__(self, upper: Path, image: Path) -> None:
        self.upper = upper
        self.image = image

    def write(self, name: str, text: str, mode: int = 0o644, owner: int = 0) -> Path:
        """Write ``text`` to the file ``name`` of the host."""
        path = self.upper / name
        self._make_parents(Path(name).parent, owner)
        path.write_text(text)
        path.chmod(mode)
        os.chown(path, owner, owner)
        return path

    def _make_parents(self, parent: Path, owner: int) -> None:
        for part in [*reversed(parent.parents), parent]:
            here, below = self.upper / part, self.image / part
            if here.exists():
                continue
            here.mkdir()
            seen = below.stat() if below.exists() else None
            here.chmod(seen.st_mode & 0o7777 if seen else 0o700 if owner else 0o755)
            os.chown(here, *((seen.st_uid, seen.st_gid) if seen else (owner, owner)))


def seed(upper: Path, image: Path, host: Host, settings: Settings) -> None:
    """Write name, identity, keys, name servers and user data."""
    disk = Disk(upper, image)
    disk.write("etc/hostname", f"{host.hostname}\n")
    disk.write("etc/hosts", hosts_file(host))
    disk.write("etc/resolv.conf", resolver(host))
    disk.write("etc/machine-id", f"{uuid.uuid5(NAMESPACE, host.name).hex}\n", mode=0o444)
    disk.write("home/admin/.ssh/authorized_keys", lines(host.keys), mode=0o600, owner=ADMIN)
    disk.write("etc/ssh/local-cloud/admin", settings.key.with_suffix(".pub").read_text())
    if host.user_data:
        disk.write("var/lib/cloud/instance/user-data", host.user_data, mode=0o600)
    make_host_key(disk, host, settings)


def make_host_key(disk: Disk, host: Host, settings: Settings) -> None:
    """Create the SSH host key, and add it to the known_hosts of ``local-cloud ssh``."""
    key = disk.write("etc/ssh/ssh_host_ed25519_key", "", mode=0o600)
    key.unlink()
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", host.hostname, "-f", str(key))
    kind, public, *_ = key.with_suffix(".pub").read_text().split()
    (settings.hosts / host.name / "known_hosts").write_text(f"{host.ip} {kind} {public}\n")


def make_key(settings: Settings) -> None:
    """Create the key of ``local-cloud ssh`` if it is missing."""
    if settings.key.exists():
        return
    settings.key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "local-cloud", "-f", str(settings.key))


def hosts_file(host: Host) -> str:
    short = host.hostname.split(".", maxsplit=1)[0]
    named = " ".join(dict.fromkeys((host.hostname, short)))
    return lines(("127.0.0.1 localhost", f"127.0.1.1 {named}", "::1 localhost ip6-localhost"))


def resolver(host: Host) -> str:
    search = (f"search {host.search}",) if host.search else ()
    return lines((*search, *(f"nameserver {address}" for address in host.nameservers)))


def lines(values: tuple[str, ...]) -> str:
    return "".join(f"{value}\n" for value in values)
