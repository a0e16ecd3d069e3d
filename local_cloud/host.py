"""The record of a host: name, address, image, keys and user data."""

from dataclasses import dataclass
from ipaddress import IPv4Address


@dataclass(frozen=True)
class Host:
    """The record with which a host is created and started again."""

    name: str
    ip: str
    hostname: str
    image: str
    keys: tuple[str, ...] = ()
    user_data: str = ""
    nameservers: tuple[str, ...] = ()
    search: str = ""
    instance: bool = False  # created by the EC2 API, which controls its state

    @property
    def address(self) -> IPv4Address:
        return IPv4Address(self.ip)
