"""EC2 instances whose states follow their hosts.

In moto, a new instance is running at once. Here an API call sets only the transitional state. The
follower reads ``instances()``, starts or stops the host, and then calls ``settle``.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance as Record
from moto.ec2.models.instances import InstanceState, StateReason

from local_cloud.emulator import ACCOUNT
from local_cloud.emulator.patch import patch
from local_cloud.emulator.security import groups_of

CODES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}
FORGET_AFTER = timedelta(hours=1)  # AWS lists a terminated instance for about an hour


@dataclass(frozen=True)
class Instance:
    """An instance, for the follower, the metadata service and the name server."""

    id: str
    region: str
    state: str
    ip: str
    image: str
    type: str
    zone: str
    subnet: str
    vpc: str
    mac: str
    key_name: str
    public_key: str
    user_data: str
    profile: str
    role: str
    tags: tuple[tuple[str, str], ...]
    security_groups: tuple[str, ...]
    group_ids: tuple[str, ...]
    launched: str
    reboot: bool
    on_shutdown: str
    metadata: bool
    metadata_tags: bool
    hop_limit: int

    @property
    def name(self) -> str:
        return dict(self.tags).get("Name", "")

    @property
    def hostname(self) -> str:
        return f"ip-{self.ip.replace('.', '-')}"


def install() -> None:
    """Patch moto so that instances wait for their hosts."""
    plain = vars(Record)["__init__"]

    def begin(self: Any, *arguments: Any, **options: Any) -> None:
        plain(self, *arguments, **options)
        set_state(self, "pending")

    patch(
        Record,
        __init__=begin,
        start=follow(Record.start, start),
        stop=follow(Record.stop, stop),
        terminate=follow(Record.terminate, terminate),
        reboot=reboot,
    )


def follow(
    original: Callable[[Any], Any], change: Callable[[Any, str], str | None]
) -> Callable[[Any], Any]:
    """Wrap ``original``: ``change`` returns the new state, or None for no change."""

    def method(self: Any) -> Any:
        before = copy.copy(self._state)
        state = change(self, before.name)
        if state is not None:
            original(self)
            set_state(self, state)
        return before

    return method


def start(record: Any, state: str) -> str | None:
    if state in ("pending", "running"):
        return None
    if state != "stopped":
        raise refusal(record, "started")
    return "pending"


def stop(record: Any, state: str) -> str | None:
    if state in ("stopping", "stopped"):
        return None
    if state not in ("pending", "running"):
        raise refusal(record, "stopped")
    return "stopping"


def terminate(_: Any, state: str) -> str | None:
    return None if state in ("shutting-down", "terminated") else "shutting-down"


def reboot(record: Any) -> None:
    if record.state != "running":
        raise refusal(record, "rebooted")
    record.reboot_requested = True


def refusal(record: Any, what: str) -> EC2ClientError:
    """Return the AWS error for an instance in the wrong state."""
    message = f"The instance '{record.id}' is not in a state from which it can be {what}."
    return EC2ClientError("IncorrectInstanceState", message)


def set_state(record: Any, state: str) -> None:
    record._state = InstanceState(state, CODES[state])


def records() -> Iterator[Any]:
    """Yield moto's instances of all regions in use."""
    for backend in list(ec2_backends[ACCOUNT].values()):
        for reservation in list(backend.reservations.values()):
            yield from list(reservation.instances)


def find(instance_id: str) -> Any:
    return next((record for record in records() if record.id == instance_id), None)


def instances() -> list[Instance]:
    """Return every instance, including terminated ones."""
    return [describe(record) for record in records()]


def describe(record: Any) -> Instance:
    backend, options = record.ec2_backend, record.metadata_options
    key = backend.key_pairs.get(record.key_name)
    association = backend.iam_instance_profile_associations.get(record.id)
    profile = association.iam_instance_profile if association else None
    return Instance(
        id=record.id,
        region=backend.region_name,
        state=record.state,
        ip=record.private_ip or "",
        image=record.image_id,
        type=record.instance_type,
        zone=record.availability_zone or "",
        subnet=record.subnet_id or "",
        vpc=record.vpc_id or "",
        mac=record.nics[0].mac_address,
        key_name=record.key_name or "",
        public_key=key.public_key.strip() if key else "",
        user_data=record.user_data.decode() if record.user_data else "",
        profile=profile.arn if profile else "",
        role=profile.roles[0].name if profile and profile.roles else "",
        tags=tuple((tag["key"], str(tag["value"])) for tag in record.get_tags()),
        security_groups=tuple(group.name for group in record.security_groups),
        group_ids=groups_of(record),
        launched=record.launch_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        reboot=getattr(record, "reboot_requested", False),
        on_shutdown=record.instance_initiated_shutdown_behavior,
        metadata=options.http_endpoint == "enabled",
        metadata_tags=options.instance_metadata_tags == "enabled",
        hop_limit=options.http_put_response_hop_limit,
    )


def settle(instance_id: str, expected: str, state: str, reason: str = "") -> bool:
    """Move an instance from ``expected`` to ``state``. Return False if its state has changed."""
    record = find(instance_id)
    if record is None or record.state != expected:
        return False
    if reason:
        record._reason = reason
        record.state_reason = StateReason(reason, reason.partition(":")[0])
    set_state(record, state)
    if state == "terminated":
        record.terminated_at = utcnow()
        release(record)
    return True


def release(record: Any) -> None:
    """Release the addresses and interfaces of a terminated instance, as AWS does."""
    subnet = record.ec2_backend.get_subnet(record.subnet_id)
    for interface in list(record.nics.values()):
        record.ec2_backend.enis.pop(interface.id, None)
    for address in record._private_ips:
        subnet.del_subnet_ip(address)
    record._private_ips = set()


def forget_terminated() -> None:
    """Remove instances that were terminated long ago, as AWS does.

    A request may be filling another reservation meanwhile, so only reservations that lose an
    instance are touched, and none is replaced.
    """
    oldest = utcnow() - FORGET_AFTER
    for backend in list(ec2_backends[ACCOUNT].values()):
        for reservation in list(backend.reservations.values()):
            ended = [each for each in reservation.instances if ended_before(each, oldest)]
            for each in ended:
                reservation.instances.remove(each)
            if ended and not reservation.instances:
                backend.reservations.pop(reservation.id, None)


def ended_before(record: Any, moment: datetime) -> bool:
    ended = getattr(record, "terminated_at", None)
    return ended is not None and ended < moment


def rebooted(instance_id: str) -> None:
    """Record that the requested reboot has begun."""
    record = find(instance_id)
    if record is not None:
        record.reboot_requested = False
