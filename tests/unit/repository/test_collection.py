"""The archive of the collection holds its roles, plugins and documents, and no secret."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tests.support import collection, wheels

SECRET = "-----BEGIN OPENSSH PRIVATE KEY-----"
#: The places of secrets in a checkout, and places in which one may be left by mistake.
PLACES = (
    ".run/local/ssh/id_ed25519",
    ".run/local/secrets/database",
    ".venv/lib/python3.11/site-packages/pip/cache.py",
    ".collections/ansible_collections/key.yml",
    "inventory/aws/group_vars/all/vault.yml",
    "roles/proxy/files/id_ed25519",
    "roles/proxy/files/.env.py",
    "roles/proxy/molecule/default/key.yml",
    "playbooks/credentials.json",
    "docs/.notes.md",
    "docs/key.pem",
    "meta/token",
    "secret.yml",
    "key.txt",
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheels.checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def archive(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of a checkout with a secret in each of these places."""
    for place in PLACES:
        path = checkout / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SECRET, encoding="utf-8")
    return collection.build(checkout, tmp_path_factory.mktemp("archive"))


def test_no_secret_is_packed(archive: Path) -> None:
    with tarfile.open(archive) as packed:
        files = [member for member in packed if member.isfile()]
        held = {member.name: packed.extractfile(member) for member in files}
        leaked = [name for name, file in held.items() if file and SECRET.encode() in file.read()]
    assert len(files) > 100
    assert leaked == []


def test_everything_that_roles_and_playbooks_need_is_packed(checkout: Path, archive: Path) -> None:
    with tarfile.open(archive) as packed:
        held = set(packed.getnames())
    needed = {
        str(path.relative_to(checkout))
        for top in ("roles", "plugins", "playbooks", "docs")
        for path in (checkout / top).rglob("*")
        if path.is_file() and "molecule" not in path.parts
    }
    assert needed - held == set(PLACES) & needed
    assert held >= {"README.md", "LICENSE", "CHANGELOG.md", "meta/runtime.yml"}
    assert not any("/molecule" in name for name in held)
