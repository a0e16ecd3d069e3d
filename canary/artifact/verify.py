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

from canary.artifact.build import Recipe, description
from canary.artifact.source import File, Tree
from canary.errors import ArtifactError

DESCRIPTION = "release.json"
_HASH = re.compile(rb"--hash=sha256:([0-9a-f]{64})\b")


def verified(tree: Tree, recipe: Recipe, body: bytes) -> str:
    """Return the digest of ``body``, which holds this release and nothing else.

    Raises:
        ArtifactError: it does not; the message says what differs.
    """
    parts = _unpacked(body)
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


def _unpacked(body: bytes) -> dict[str, File]:
    found: dict[str, File] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() else None
                if content is None or member.name in found:
                    raise ArtifactError(f"it holds {member.name} twice, or not as a plain file")
                found[member.name] = File(content.read(), bool(member.mode & 0o100))
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise ArtifactError(f"it is not a tar.gz ({error})") from error
    return found
