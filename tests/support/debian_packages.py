#!/usr/bin/env python3
"""Publish a Debian package in a repository on this host: ``publish-package NAME VERSION [PATH]``.

It needs only dpkg and Python, so that a test can copy it to a host. The package holds one file: the
content of standard input at PATH, or else a file with the version.
"""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path("/opt/packages")
SOURCE = Path("/etc/apt/sources.list.d/packages.list")


def build(name: str, version: str, path: str, content: str) -> str:
    """Build the package, and return its entry in the index."""
    control = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody\n"
    control += "Description: a test\n"
    package = REPOSITORY / f"{name}_{version}_all.deb"
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        place.chmod(0o755)
        for file, text in (("DEBIAN/control", control), (path.lstrip("/"), content)):
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            (place / file).write_text(text, encoding="utf-8")
        words = ["dpkg-deb", "--build", "--root-owner-group", "-Znone", directory, str(package)]
        subprocess.run(words, check=True)
    data = package.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return f"{control}Filename: ./{package.name}\nSize: {len(data)}\nSHA256: {digest}\n\n"


def main(name: str, version: str, path: str = "") -> None:
    REPOSITORY.mkdir(exist_ok=True)
    content = sys.stdin.read() if path else f"{version}\n"
    entry = build(name, version, path or f"/usr/share/{name}/version", content)
    with (REPOSITORY / "Packages").open("a", encoding="utf-8") as index:
        index.write(entry)
    SOURCE.write_text(f"deb [trusted=yes] file:{REPOSITORY} ./\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
