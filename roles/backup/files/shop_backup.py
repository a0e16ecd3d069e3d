"""Save the shop's database to the bucket, or restore it: ``shop-backup save | restore NAME``.

Each request is signed with the credentials of the host's role, which come from the instance
metadata and last an hour. curl reads them from standard input, so no process list shows them.

A backup NAME is stored in parts, NAME.0, NAME.1 and so on, because S3 takes at most 5 GB in one
request. The object NAME is written last and holds the number of parts and their digest. So an
interrupted backup does not count, and a damaged one is not restored.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.request import Request, urlopen

CONFIGURATION = Path("/etc/shop-backup.json")
METADATA = "http://169.254.169.254/latest"
DATABASE = "shop"
LATEST = "latest"
PART = 1024**3
BLOCK = 1024**2
NAME = re.compile(r"shop-\d{8}T\d{6}Z\.dump")
USAGE = "shop-backup: say save, restore latest, or restore shop-20261126T020000Z.dump"


def metadata(path: str, token: str = "", method: str = "GET") -> str:
    """Read from the instance metadata service, version 2."""
    headers = {"X-aws-ec2-metadata-token": token} if token else {}
    if method == "PUT":
        headers = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    request = Request(f"{METADATA}/{path}", headers=headers, method=method)  # noqa: S310 - our own
    with urlopen(request, timeout=5) as answer:  # noqa: S310
        text: str = answer.read().decode()
    return text


def credentials() -> dict[str, str]:
    """Return the credentials of this host's role."""
    token = metadata("api/token", method="PUT")
    roles = "meta-data/iam/security-credentials/"
    found: dict[str, str] = json.loads(metadata(roles + metadata(roles, token).strip(), token))
    return found


def curl_words(where: dict[str, str], keys: dict[str, str], key: str) -> str:
    """Return curl's configuration for one object, signed with the host's role."""
    return "\n".join(
        [
            f'url = "{where["endpoint"]}/{where["bucket"]}/backups/{key}"',
            f'aws-sigv4 = "aws:amz:{where["region"]}:s3"',
            f'user = "{keys["AccessKeyId"]}:{keys["SecretAccessKey"]}"',
            f'header = "x-amz-security-token: {keys["Token"]}"',
            'header = "x-amz-content-sha256: UNSIGNED-PAYLOAD"',
            "max-time = 3000\nretry = 3\nfail\nsilent\nshow-error\n",
        ]
    )


def transfer(key: str, *words: str) -> None:
    """Copy one object of the bucket to or from a file."""
    where = json.loads(CONFIGURATION.read_text(encoding="utf-8"))
    text = curl_words(where, credentials(), key)
    subprocess.run(["curl", "--config", "-", *words], input=text, text=True, check=True)


def save(directory: Path) -> str:
    """Dump the database, store the dump, then mark it as the latest."""
    name = f"shop-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump"
    dump, latest = directory / name, directory / LATEST
    subprocess.run(["pg_dump", "--format=custom", f"--file={dump}", DATABASE], check=True)
    upload(dump, name)
    latest.write_text(name, encoding="utf-8")
    transfer(LATEST, "--upload-file", str(latest))
    return f"{name}: {dump.stat().st_size} bytes"


def upload(dump: Path, name: str) -> None:
    """Store a file in parts, then the object that describes them."""
    part = dump.with_name("part")
    count = max(1, -(-dump.stat().st_size // PART))
    with dump.open("rb") as whole:
        for number in range(count):
            with part.open("wb") as one:
                copy(whole, one, PART)
            transfer(f"{name}.{number}", "--upload-file", str(part))
    part.write_text(f"{count} {digest(dump)}", encoding="utf-8")
    transfer(name, "--upload-file", str(part))


def download(directory: Path, name: str) -> Path:
    """Fetch the parts of a backup into one file, and check it."""
    dump, part = directory / name, directory / "part"
    transfer(name, "--output", str(part))
    count, expected = part.read_text(encoding="utf-8").split()
    with dump.open("wb") as whole:
        for number in range(int(count)):
            transfer(f"{name}.{number}", "--output", str(part))
            with part.open("rb") as one:
                shutil.copyfileobj(one, whole)
    if digest(dump) != expected:
        sys.exit(f"shop-backup: {name} is damaged, so nothing was restored. Restore another one")
    return dump


def copy(source: BinaryIO, target: BinaryIO, most: int) -> None:
    """Copy at most ``most`` bytes."""
    while most and (block := source.read(min(most, BLOCK))):
        target.write(block)
        most -= len(block)


def digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.hexdigest()


def restore(directory: Path, name: str) -> str:
    """Restore every table from backup ``name`` in one transaction."""
    if name == LATEST:
        transfer(LATEST, "--output", str(directory / LATEST))
        name = (directory / LATEST).read_text(encoding="utf-8").strip()
    if not NAME.fullmatch(name):
        sys.exit(f"shop-backup: {name!r} is no backup's name. {USAGE}")
    dump = download(directory, name)
    words = ["--clean", "--if-exists", "--single-transaction", "--exit-on-error"]
    subprocess.run(["pg_restore", *words, f"--dbname={DATABASE}", str(dump)], check=True)
    return f"{name} is what the database holds now"


def main(words: list[str]) -> None:
    known = words == ["save"] or (len(words) == 2 and words[0] == "restore")
    if not known:
        sys.exit(USAGE)
    try:
        with tempfile.TemporaryDirectory(prefix="shop-backup-") as directory:
            place = Path(directory)
            print(save(place) if words == ["save"] else restore(place, words[1]))  # noqa: T201
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"shop-backup: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
