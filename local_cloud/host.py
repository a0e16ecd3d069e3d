"""The record of a host: what it is called, where it is, and what it starts from."""

from dataclasses import dataclass
from ipaddress import IPv4Address


@dataclass(frozen=True)
class Host:
    """What a host is made of; the same record starts it again."""

    name: str
    ip: str
    hostname: str
    image: str
    keys: tuple[str, ...] = ()
    user_data: str = ""
    nameservers: tuple[str, ...] = ()
    search: str = ""
    instance: bool = False  # made by the EC2 API, which then decides on its life

    @property
    def address(self) -> IPv4Address:
        return IPv4Address(self.ip)
