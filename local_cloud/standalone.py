"""Hosts without EC2, for the tests of roles."""

from ipaddress import AddressValueError, IPv4Address
from pathlib import Path

from local_cloud.errors import HostError
from local_cloud.host import Host
from local_cloud.image import Image
from local_cloud.machine import Machine, names
from local_cloud.network import raise_network, remove_network
from local_cloud.preflight import preflight
from local_cloud.progress import step
from local_cloud.readiness import await_ssh
from local_cloud.seed import make_key
from local_cloud.settings import Settings

RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))


def start_host(settings: Settings, name: str, ip: str, keys: tuple[str, ...]) -> None:
    """Boot host ``name`` at ``ip`` and wait until SSH responds."""
    machine = Machine(settings, name)
    address = free_address(settings, name, ip)
    preflight(settings)
    image = Image(settings.images)
    image.build()
    make_key(settings)
    raise_network(settings)
    record = Host(
        name=name,
        ip=str(address),
        hostname=name,
        image=str(image.root),
        keys=keys,
        nameservers=controllers_nameservers(),
    )
    with step(f"Booting {name} at {address}"):
        machine.create(record)
        machine.start()
        await_ssh(address)


def stop_host(settings: Settings, name: str) -> None:
    """Remove host ``name``. Without other hosts and without a cloud, also remove the network."""
    machine = Machine(settings, name)
    if machine.host.instance:
        raise HostError(
            f"{name} is an EC2 instance. Type: aws ec2 terminate-instances --instance-ids {name}"
        )
    machine.remove()
    if not names(settings) and not (settings.state / "settings.json").exists():
        remove_network(settings)


def free_address(settings: Settings, name: str, ip: str) -> IPv4Address:
    """Return ``ip`` if it is free."""
    try:
        address = IPv4Address(ip)
    except AddressValueError:
        raise HostError(
            f'"{ip}" is not an IPv4 address. Example: --ip {settings.network[51210]}'
        ) from None
    if address not in settings.network or address == settings.gateway:
        raise HostError(f"{ip} is not a valid host address in {settings.network}.")
    for other in names(settings):
        if other != name and Machine(settings, other).host.ip == ip:
            raise HostError(f"{ip} is used by host {other}. Choose another address.")
    return address


def controllers_nameservers() -> tuple[str, ...]:
    """Return the name servers of the controller that hosts can reach."""
    for path in RESOLVERS:
        lines = path.read_text().splitlines() if path.exists() else []
        found = [line.split()[1] for line in lines if line.startswith("nameserver ")]
        reachable = tuple(address for address in found if not address.startswith("127."))
        if reachable:
            return reachable
    return ()
