"""Verify that an archive in the bucket is the release that this tree builds.

Whoever can write the object can write its metadata too. So nothing there is believed: every file is
compared with the tree, every wheel with the hashes of the lock.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import zlib
from collections.abc import Mapping

from canary.artifact.build import Recipe, description
from canary.artifact.source import File, Tree
from canary.errors import ArtifactError

DESCRIPTION = "release.json"
BLOCKS = 2_048
"""About the most bytes that a tar archive adds to a file."""
TIMES, SPARE = 10, 1_000_000
"""How much larger the files are than the archive: wheels are compressed already."""
_HASH = re.compile(rb"--hash=sha256:([0-9a-f]{64})\b")


def verified(tree: Tree, recipe: Recipe, body: bytes) -> str:
    """Return the digest of ``body``, which holds this release and nothing else.

    Raises:
        ArtifactError: it does not; the message says what differs.
    """
    parts = unpacked(body, tree.files)
    described = parts.pop(DESCRIPTION, None)
    wheels = {name: part for name, part in parts.items() if name.startswith("wheels/")}
    for name in tree.files.keys() | (parts.keys() - wheels.keys()):
        if parts.get(name) != tree.files.get(name):
            raise ArtifactError(f"{name} is not what {tree.ref} has")
    lock = tree.files[recipe.lock].body if recipe.lock in tree.files else b""
    known = set(_HASH.findall(lock))
    for name, part in wheels.items():
        if hashlib.sha256(part.body).hexdigest().encode() not in known:
            raise ArtifactError(f"{name} is not in {recipe.lock}")
    if described != File(description(tree, recipe.target, parts)):
        raise ArtifactError(f"{DESCRIPTION} describes something else")
    return hashlib.sha256(body).hexdigest()


def same(files: Mapping[str, File], ref: str, body: bytes) -> str:
    """Return the digest of ``body``, which holds these files and nothing else."""
    parts = unpacked(body, files)
    for name in files.keys() | parts.keys():
        if parts.get(name) != files.get(name):
            raise ArtifactError(f"{name} is not what {ref} has")
    return hashlib.sha256(body).hexdigest()


def unpacked(body: bytes, expected: Mapping[str, File]) -> dict[str, File]:
    """Return the files and links of a tar.gz, unless it is far larger than the expected files."""
    found: dict[str, File] = {}
    most = sum(len(file.body) + BLOCKS for file in expected.values()) + TIMES * len(body) + SPARE
    try:
        with tarfile.open(fileobj=io.BytesIO(_inflated(body, most)), mode="r:") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() else None
                if member.name in found or (content is None and not member.issym()):
                    raise ArtifactError(f"it holds {member.name} twice, or not as a plain file")
                found[member.name] = (
                    File(content.read(), bool(member.mode & 0o100))
                    if content is not None
                    else File(member.linkname.encode(), link=True)
                )
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise ArtifactError(f"it is not a tar.gz ({error})") from error
    return found


def _inflated(body: bytes, most: int) -> bytes:
    """Return the decompressed ``body``, limited because few bytes may expand beyond all memory."""
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    text = stream.decompress(body, most)
    if stream.unconsumed_tail:
        raise ArtifactError(f"it unpacks to more than {most / 1e6:.0f} MB")
    if stream.unused_data or not stream.eof:
        raise ArtifactError("it is not one whole tar.gz")
    return text
