"""A correct account, in which a test plants a fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from canary.doctor.needs import Needs
from tests.unit.canary.doctor.stubs import REGION
from tests.unit.canary.doctor.world import ME, World, launch, needs_in, write_policy


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "unchecked-by-moto")
    monkeypatch.chdir(tmp_path)
    with mock_aws():
        yield


@pytest.fixture
def needs(tmp_path: Path) -> Needs:
    return needs_in(tmp_path)


@pytest.fixture
def world(needs: Needs) -> World:
    ec2 = boto3.client("ec2", REGION)
    group = ec2.create_security_group(GroupName=needs.door, Description="proxy")["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp=f"{ME}/32"
    )
    host = launch(role="proxy")
    write_policy(needs, host)
    for colour in ("blue", "green"):
        launch(role="app", colour=colour)
    return World(needs)
