"""moto, and all code that depends on its internals.

It is pinned because these modules use its internals: ``lifecycle`` (Instance), ``repairs`` (Subnet,
Table, AutoScaling), ``snapshot`` (BackendDict, FakeKey), ``messages`` (Subscription), ``roles``
(STS). ``tests/unit/local_cloud/test_emulator.py`` tests the pin and each use. ``cloudwatch.wire``
is the only other module that imports moto.
"""

import json
from pathlib import Path

ACCOUNT = "123456789012"
STATUS_PATH = "/_local_cloud/status"  # cannot be a bucket name: those have no underscore
DEBIAN_OWNER = "136693071363"  # the owner of Debian's images on AWS, so the same filter finds ours


def machine_image(key: str) -> str:
    """Return the id of the AMI for base image ``key``."""
    return f"ami-{key:0<17}"


def image_key(machine_image_id: str) -> str:
    """Return the key of the base image for an AMI."""
    return machine_image_id.removeprefix("ami-")[:12]


def environment(catalogue: Path, key: str, built: str) -> dict[str, str]:
    """Write the AMI catalogue and return the environment variables for moto."""
    image = {
        "ami_id": machine_image(key),
        "creation_date": built,
        "name": "debian-12-amd64-local",
        "description": "Debian 12 (bookworm), booted by the local cloud",
        "owner_id": DEBIAN_OWNER,
        "image_location": "amazon/debian-12-amd64-local",
        "image_type": "machine",
        "architecture": "x86_64",
        "hypervisor": "xen",
        "platform": None,
        "public": True,
        "root_device_name": "/dev/xvda",
        "root_device_type": "ebs",
        "sriov": "simple",
        "state": "available",
        "virtualization_type": "hvm",
    }
    catalogue.write_text(json.dumps([image], indent=2))
    return {
        "MOTO_AMIS_PATH": str(catalogue),
        "MOTO_ENABLE_AMI_VALIDATION": "true",
        "MOTO_ENABLE_KEYPAIR_VALIDATION": "true",
        "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION": "true",
        # moto's own calls must not leave the machine.
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
