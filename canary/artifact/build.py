"""A reproducible tar.gz of the app, its wheels and a description of them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from canary.artifact.source import File, Tree
from canary.artifact.wheels import Target, default_cache, wheels
from canary.errors import ArtifactError


@dataclass(frozen=True, slots=True)
class Recipe:
    """How releases of one app are built."""

    directory: str = "app"
    lock: str = "app/requirements.txt"
    target: Target = field(default_factory=Target)
    cache: Path = field(default_factory=default_cache)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A built release."""

    release: str
    commit: str
    dirty: bool
    body: bytes
    sha256: str


def build(tree: Tree, recipe: Recipe) -> Artifact:
    """Build a release; the same tree and lock give the same bytes on every machine."""
    if recipe.lock not in tree.files:
        raise ArtifactError(
            f"{tree.ref} has no {recipe.lock}, so its dependencies are unknown; compile it with "
            "hashes and commit it"
        )
    found = wheels(tree.files[recipe.lock].body, recipe.target, recipe.cache)
    parts = {**tree.files, **{f"wheels/{name}": File(body) for name, body in found.items()}}
    parts["release.json"] = File(description(tree, recipe.target, parts))
    body = pack(parts, tree.time)
    return Artifact(tree.release, tree.commit, tree.dirty, body, hashlib.sha256(body).hexdigest())


def pack(parts: Mapping[str, File], time: int) -> bytes:
    """Return a tar.gz that does not depend on user, time or machine."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, part in sorted(parts.items()):
            member = tarfile.TarInfo(name)
            member.mtime, member.mode = time, 0o755 if part.executable else 0o644
            if part.link:
                member.type, member.linkname = tarfile.SYMTYPE, part.body.decode()
                tar.addfile(member)
            else:
                member.size = len(part.body)
                tar.addfile(member, io.BytesIO(part.body))
    return gzip.compress(raw.getvalue(), compresslevel=6, mtime=0)


def description(tree: Tree, target: Target, parts: Mapping[str, File]) -> bytes:
    """Return the text of release.json: what the release is, and the digest of each part."""
    description = {
        "name": tree.release,
        "commit": tree.commit,
        "dirty": tree.dirty,
        "python": target.python,
        "sha256": {name: hashlib.sha256(part.body).hexdigest() for name, part in parts.items()},
    }
    return (json.dumps(description, indent=1, sort_keys=True) + "\n").encode()
