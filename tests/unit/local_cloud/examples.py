"""An example instance; a test overrides fields."""

from dataclasses import replace
from typing import Any

from local_cloud.emulator.lifecycle import Instance

INSTANCE = Instance(
    id="i-0123456789abcdef0",
    region="eu-central-1",
    state="running",
    ip="10.77.1.4",
    image="ami-0123456789ab00000",
    type="t3.micro",
    zone="eu-central-1a",
    subnet="subnet-1",
    vpc="vpc-1",
    mac="02:00:00:00:00:01",
    key_name="deployer",
    public_key="ssh-ed25519 AAAA test",
    user_data="",
    profile="arn:aws:iam::123456789012:instance-profile/app",
    role="app",
    tags=(("Name", "local-app-blue-1"), ("role", "app")),
    security_groups=("app", "base"),
    group_ids=("sg-1", "sg-2"),
    launched="2026-01-02T03:04:05Z",
    reboot=False,
    on_shutdown="stop",
    metadata=True,
    metadata_tags=True,
    hop_limit=1,
)


def instance(**changes: Any) -> Instance:
    return replace(INSTANCE, **changes)
