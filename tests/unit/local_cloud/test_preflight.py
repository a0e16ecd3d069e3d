"""If the local cloud cannot run, the message says why and what to type."""

from pathlib import Path

import pytest

from local_cloud import preflight as module
from local_cloud.errors import CommandError, PreflightError


def test_another_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    with pytest.raises(PreflightError, match=r"needs Linux, and this is Darwin.*canary analyze"):
        module.require_linux()


def test_a_user_is_told_how_to_become_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(PreflightError, match=r"you are user 1000.*sudo -E local-cloud up"):
        module.require_root()


def test_missing_programs_are_named_with_their_packages() -> None:
    with pytest.raises(PreflightError) as refused:
        module.require_programs(lambda name: None if name in ("nft", "mmdebstrap") else "/bin/x")
    assert str(refused.value) == (
        "Not installed: mmdebstrap, nft. Type: apt-get install -y mmdebstrap nftables"
    )


def test_nothing_is_missing_where_all_is_there() -> None:
    module.require_programs(lambda name: f"/bin/{name}")


def test_no_mount_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: str) -> str:
        raise CommandError("permission denied")

    monkeypatch.setattr(module, "run", refuse)
    with pytest.raises(PreflightError, match=r"Cannot mount an overlay in .*permission denied"):
        module.require_overlay(tmp_path)
    assert list(tmp_path.iterdir()) == []
