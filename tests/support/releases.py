"""Releases for demonstrations: commits of HEAD with another configuration.

They are made with git's plumbing commands under refs/demo/, so branch, index and working tree do
not change.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.support.paths import ROOT

AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in {
        "NAME": "cart-canary demo",
        "EMAIL": "demo@localhost",
        "DATE": "2026-01-01T00:00:00Z",
    }.items()
}


WIDER = {
    "0097_channel": """-- A release that will note where carts come from; the one before does not.
ALTER TABLE carts ADD COLUMN channel text NOT NULL DEFAULT 'web';
CREATE TABLE vouchers (code text PRIMARY KEY, cart_id uuid);
""",
    "0098_voucher": "ALTER TABLE orders ADD COLUMN voucher text;\n",
    "0099_colour": "ALTER TABLE products ADD COLUMN colour text;\n",
}
"""Migrations of three tables, by name. Old and new releases work with both schemas."""


def git(*arguments: str, stdin: str = "", index: Path | None = None) -> str:
    """Run git in the checkout and return its stripped output."""
    environment = os.environ | AUTHOR | ({"GIT_INDEX_FILE": str(index)} if index else {})
    done = subprocess.run(
        ["git", *arguments],
        cwd=ROOT,
        input=stdin,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def release(name: str, faults: str, subject: str, files: Mapping[str, str] | None = None) -> str:
    """Commit HEAD with these faults in its ``app/release.env``, as refs/demo/``name``.

    ``files`` adds or replaces files by path.

    The same HEAD, faults and subject give the same commit, so a second run builds nothing.
    """
    added = {"app/release.env": f"# {subject}\nSHOP_FAULTS={faults}\n", **(files or {})}
    blobs = {
        path: git("hash-object", "-w", "--stdin", stdin=content) for path, content in added.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder, "index")
        git("read-tree", "HEAD", index=index)
        for path, blob in blobs.items():
            git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", index=index)
        tree = git("write-tree", index=index)
    commit = git("commit-tree", tree, "-p", "HEAD", "-m", subject)
    git("update-ref", f"refs/demo/{name}", commit)
    return commit
