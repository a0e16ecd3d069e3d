"""Credentials of an instance for its role."""

from dataclasses import dataclass
from datetime import datetime

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from local_cloud.emulator import ACCOUNT

DURATION = 6 * 3600


@dataclass(frozen=True)
class Credentials:
    access_key: str
    secret_key: str
    token: str
    updated: datetime
    expires: datetime


def assume(role: str, instance_id: str, region: str, now: datetime) -> Credentials:
    """Return new credentials of ``role``; the instance id is the session name, as on AWS."""
    arn = iam_backends[ACCOUNT]["aws"].get_role(role).arn
    assumed = sts_backends[ACCOUNT]["aws"].assume_role(
        region_name=region,
        role_session_name=instance_id,
        role_arn=arn,
        policy="",
        duration=DURATION,
        external_id="",
    )
    return Credentials(
        access_key=assumed.access_key_id,
        secret_key=assumed.secret_access_key,
        token=assumed.session_token,
        updated=now,
        expires=assumed.expiration,
    )
