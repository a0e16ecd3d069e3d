"""The deploy hook: ``python -m tests.e2e.processes.deploy COLOUR RELEASE ARTIFACT SHA256``.

It unpacks the artifact, and names the release for the demonstration, which restarts the shops of
the colour. It ends when they all serve the release.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import sys
import tarfile
import time
import urllib.request
from pathlib import Path

import boto3

PLACE = "CART_CANARY_PROCESSES"
"""The environment variable with the directory of the demonstration."""
PATIENCE = 300.0


def fetch(url: str, sha256: str) -> bytes:
    """Return the artifact, if it has this digest."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    body: bytes = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    found = hashlib.sha256(body).hexdigest()
    if found != sha256:
        sys.exit(f"{url} has digest {found}, not {sha256}")
    return body


def unpack(body: bytes, directory: Path) -> None:
    """Unpack the package ``app`` of a release, unless another colour has done so."""
    if directory.is_dir():
        return
    scratch = directory.with_name(f"{directory.name}.{os.getpid()}")
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        # Debian 12's Python has no filters. The digest shows that canary made the archive.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(scratch / "app")  # noqa: S202
    scratch.rename(directory)


def serves(url: str, release: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
        return bool(answer.headers["X-Release"] == release)
    return False


def main(colour: str, release: str, artifact: str, sha256: str) -> None:
    place = Path(os.environ[PLACE])
    unpack(fetch(artifact, sha256), place / "releases" / release)
    failed = place / f"{colour}.failed"
    failed.unlink(missing_ok=True)
    (place / f"{colour}.new").write_text(release)
    (place / f"{colour}.new").rename(place / colour)
    urls = json.loads((place / "shops.json").read_text())[colour]
    until = time.monotonic() + PATIENCE
    while waiting := [url for url in urls if not serves(f"{url}/ready", release)]:
        if failed.exists():
            sys.exit(failed.read_text())
        if time.monotonic() > until:
            sys.exit(f"No release {release} after {PATIENCE:g} s at {', '.join(waiting)}")
        time.sleep(0.2)


if __name__ == "__main__":
    main(*sys.argv[1:])
