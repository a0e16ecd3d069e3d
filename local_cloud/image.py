"""The base image: a Debian root directory; every host is an overlay on it.

mmdebstrap builds it once from Debian packages, in a directory named by a hash of the recipe. A
marker with a fingerprint of the tree is written last. So an incomplete build is never used, and
neither is a tree that was changed later.
"""

import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from local_cloud.commands import follow
from local_cloud.errors import CommandError, ImageError
from local_cloud.progress import step

VERSION = 2  # raise this if the same recipe is built or verified in a new way
SUITE = "bookworm"
MIRROR = "http://deb.debian.org"
INSTALLED = (
    "ca-certificates curl dbus iproute2 iputils-ping less libpam-systemd netbase nftables "
    "openssh-server procps python3 python3-apt python3-boto3 python3-venv sudo systemd "
    "systemd-sysv tzdata"
)
# Packages of the roles and of examples/: archives, so that an installation needs no download.
DOWNLOADED = (
    "acl git gnupg haproxy jq logrotate nodejs postgresql prometheus prometheus-node-exporter "
    "python3-pip python3-psycopg2 redis-server rsync socat"
)
MASKED = (
    "apt-daily-upgrade.timer apt-daily.timer console-getty.service dpkg-db-backup.timer "
    "e2scrub_all.timer e2scrub_reap.service fstrim.timer getty.target "
    "systemd-networkd.service systemd-timesyncd.service"
)
HOOKS = (
    'chroot "$1" useradd --create-home --uid 1000 --shell /bin/bash admin',
    'chroot "$1" systemctl mask ' + MASKED,
    'chroot "$1" systemctl enable ssh.service user-data.service',
    'chroot "$1" apt-get install --yes --download-only ' + DOWNLOADED,
    # Manual pages are left out, but packages such as a JDK make links in their directories.
    'for n in 1 2 3 4 5 6 7 8; do mkdir -p "$1"/usr/share/man/man$n; done',
    'rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/resolv.conf',
)


@dataclass(frozen=True)
class Image:
    """The image of one recipe in ``directory``, built or not."""

    directory: Path
    mirror: str = MIRROR

    @cached_property
    def key(self) -> str:
        """Return the hash of the recipe. A new recipe gives a new image."""
        recipe = json.dumps([VERSION, self.command(Path("/")), overlay_files()], sort_keys=True)
        return hashlib.sha256(recipe.encode()).hexdigest()[:12]

    @property
    def root(self) -> Path:
        return self.directory / self.key / "root"

    @property
    def marker(self) -> Path:
        return self.directory / self.key / "complete.json"

    def command(self, root: Path) -> list[str]:
        """Return the mmdebstrap command that builds the image in ``root``."""
        hooks = [f"--customize-hook={hook}" for hook in HOOKS]
        return [
            "mmdebstrap",
            "--mode=root",
            "--variant=apt",
            "--skip=cleanup/apt",
            "--dpkgopt=force-unsafe-io",
            "--dpkgopt=path-exclude=/usr/share/man/*",
            "--dpkgopt=path-exclude=/usr/share/doc/*",
            '--aptopt=Acquire::Languages "none"',
            '--aptopt=APT::Keep-Downloaded-Packages "true"',
            f"--include={','.join(INSTALLED.split())}",
            "--essential-hook=copy-in FILES/etc FILES/usr /",
            *hooks,
            SUITE,
            str(root),
            f"deb {self.mirror}/debian {SUITE} main",
            f"deb {self.mirror}/debian {SUITE}-updates main",
            f"deb {self.mirror}/debian-security {SUITE}-security main",
        ]

    @property
    def built(self) -> str:
        """Return the build time of the image in the format of AWS."""
        seconds = int(self.marker.stat().st_mtime)
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def is_built(self) -> bool:
        return self.marker.exists()

    def build(self) -> None:
        """Build the image if it is missing. Reject an image that was changed after its build."""
        if self.is_built():
            self.verify()
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(prefix="building-", dir=self.directory) as temporary,
            step("Building the base image from Debian packages (once, about a minute)") as tell,
        ):
            self._build(Path(temporary), tell)

    def _build(self, temporary: Path, tell: Callable[[str], None]) -> None:
        added = stage(temporary / "files")
        command = [part.replace("FILES", str(added)) for part in self.command(temporary / "root")]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "TMPDIR": str(temporary)}
        try:
            follow(*command, environment=environment, tell=lambda line: tell_stage(line, tell))
        except CommandError as error:
            message = f"The base image could not be built. {error}"
            raise ImageError(message) from None
        finished = temporary / "image"
        finished.mkdir(mode=0o755)
        (temporary / "root").rename(finished / "root")
        (finished / "root").chmod(0o755)
        marker = {"suite": SUITE, "fingerprint": fingerprint(finished / "root")}
        (finished / "complete.json").write_text(json.dumps(marker))
        shutil.rmtree(self.directory / self.key, ignore_errors=True)
        finished.rename(self.directory / self.key)

    def verify(self) -> None:
        """Raise ImageError if the tree was changed after the build."""
        expected = json.loads(self.marker.read_text())["fingerprint"]
        if fingerprint(self.root) != expected:
            raise ImageError(
                f"The base image {self.root} was changed after it was built. Remove it and "
                f"build it again: rm -r {self.marker.parent} && local-cloud image"
            )


def tell_stage(line: str, tell: Callable[[str], None]) -> None:
    """Report the stages of mmdebstrap, without the output of packages."""
    if line.startswith("I: ") and line.endswith("..."):
        tell(line[3:])


def overlay_files() -> dict[str, str]:
    """Return the files that the recipe adds to Debian, by path."""
    source = Path(str(files("local_cloud") / "image_files"))
    return {
        str(path.relative_to(source)): path.read_text()
        for path in sorted(source.rglob("*"))
        if path.is_file()
    }


def stage(directory: Path) -> Path:
    """Copy the added files with the required modes, whatever modes a checkout gave them."""
    for name, text in overlay_files().items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if text.startswith("#!") else 0o644)
    for path in directory.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
    return directory


def fingerprint(root: Path) -> str:
    """Return a hash of every path's kind, mode, owner, size, time and link target.

    Paths are bytes, because decoding a name depends on the locale.
    """
    digest = hashlib.sha256()
    top = os.fsencode(root)
    for directory, names, leaves in os.walk(top):
        names.sort()
        for name in sorted([*names, *leaves]):
            path = os.path.join(directory, name)  # noqa: PTH118 - bytes
            digest.update(repr((path[len(top) :], *facts(path))).encode())
    return digest.hexdigest()


def facts(path: bytes) -> tuple[object, ...]:
    """Return the properties of a path that must not change. Size and time of a directory may."""
    seen = os.lstat(path)
    target = os.readlink(path) if stat.S_ISLNK(seen.st_mode) else b""  # noqa: PTH115 - bytes
    sized = (seen.st_size, seen.st_mtime_ns) if stat.S_ISREG(seen.st_mode) else ()
    return seen.st_mode, seen.st_uid, seen.st_gid, sized, target
