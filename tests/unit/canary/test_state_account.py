"""State in another account than the policy's is neither read nor written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from canary.cli.files import directory_of, environments, find_directory
from canary.environment import AwsStateSettings, Environment
from canary.errors import PolicyError, StateError
from canary.state.aws import AwsState
from canary.state.base import Live
from tests.unit.canary.test_environment import GOOD

MINE, OTHER = "123456789012", "210987654321"  # moto's default account, and another


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "unchecked-by-moto")
    monkeypatch.delenv("CART_CANARY_AWS_ACCOUNT", raising=False)
    monkeypatch.chdir(tmp_path)
    with mock_aws():
        yield


def state(account: str | None) -> AwsState:
    document = {**GOOD, "region": "eu-central-1", "endpoint_url": None, "account": account}
    environment = Environment.model_validate(document)
    assert isinstance(environment.state, AwsStateSettings)
    return AwsState(environment.state, environment)


@pytest.mark.parametrize("account", [MINE, None])
def test_state_of_the_policys_own_account_is_used(account: str | None) -> None:
    state(account).set_live(Live("blue"))
    assert state(account).live() == Live("blue")


def test_state_of_another_account_is_neither_read_nor_written() -> None:
    state(MINE).set_live(Live("blue"))
    with pytest.raises(StateError, match=f"belong to account {MINE}.*is in account {OTHER}"):
        state(OTHER).set_live(Live("green"))
    with pytest.raises(StateError, match="AWS_PROFILE"):
        state(OTHER).holder()
    assert state(MINE).live() == Live("blue")


def set_up(*directories: str) -> None:
    for name in directories:
        (Path(".run") / name).mkdir(parents=True)
        (Path(".run") / name / "canary.yml").touch()


def test_environments_of_two_accounts_are_apart() -> None:
    set_up("local", f"{MINE}/aws")
    assert find_directory("local") == directory_of("local", None) == Path(".run/local")
    assert find_directory("aws") == directory_of("aws", MINE) == Path(f".run/{MINE}/aws")
    set_up(f"{OTHER}/aws")
    assert environments() == ["aws", "local"]
    with pytest.raises(PolicyError, match=f"accounts {MINE}, {OTHER}.*export CART_CANARY"):
        find_directory("aws", {})
    assert find_directory("aws", {"CART_CANARY_AWS_ACCOUNT": OTHER}) == Path(f".run/{OTHER}/aws")
