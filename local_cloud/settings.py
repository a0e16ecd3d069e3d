"""Settings: directories, bridge, network, port.

``local-cloud up`` records the settings in the state directory, so later commands need only that
directory.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, Self

from local_cloud.errors import NetworkError

LONGEST_BRIDGE_NAME = 8  # interface names have 15 characters: bridge, dash, host number in hex
WIDEST_NETWORK = 8
NETWORK = IPv4Network("10.77.0.0/16")


@dataclass(frozen=True)
class Settings:
    state: Path
    cache: Path
    bridge: str = "ccbr0"
    network: IPv4Network = NETWORK
    port: int = 4566

    def __post_init__(self) -> None:
        if not 0 < len(self.bridge) <= LONGEST_BRIDGE_NAME:
            raise NetworkError(
                f'The bridge name "{self.bridge}" has {len(self.bridge)} characters; '
                f"1 to {LONGEST_BRIDGE_NAME} fit. Set LOCAL_CLOUD_BRIDGE, e.g. to ccbr0."
            )
        if not self.network.is_private or not WIDEST_NETWORK <= self.network.prefixlen <= 28:
            raise NetworkError(
                f"The network {self.network} is not a private network of /{WIDEST_NETWORK} to /28. "
                "Set LOCAL_CLOUD_NETWORK, e.g. to 10.77.0.0/16."
            )

    @property
    def gateway(self) -> IPv4Address:
        return self.network[1]

    @property
    def endpoint(self) -> str:
        return f"http://{self.gateway}:{self.port}"

    @property
    def metadata_port(self) -> int:
        """The port of the gateway for instance metadata (169.254.169.254:80 on hosts)."""
        return self.port + 1

    @property
    def hosts(self) -> Path:
        return self.state / "hosts"

    @property
    def mail(self) -> Path:
        return self.state / "mail"

    @property
    def images(self) -> Path:
        return self.cache / "images"

    @property
    def key(self) -> Path:
        """The private key of ``local-cloud ssh``."""
        return self.state / "ssh" / "id_ed25519"

    def record(self) -> None:
        """Write bridge, network and port to ``settings.json``."""
        self.state.mkdir(parents=True, exist_ok=True)
        chosen = {"bridge": self.bridge, "network": str(self.network), "port": self.port}
        (self.state / "settings.json").write_text(json.dumps(chosen, indent=2) + "\n")

    def environment(self) -> dict[str, str]:
        """Return the environment variables for these settings."""
        values = {
            "STATE": self.state,
            "CACHE": self.cache,
            "BRIDGE": self.bridge,
            "NETWORK": self.network,
            "PORT": self.port,
        }
        return {f"LOCAL_CLOUD_{name}": str(value) for name, value in values.items()}

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return the settings: LOCAL_CLOUD_* variables, else the recorded values, else defaults."""
        state = Path(environment.get("LOCAL_CLOUD_STATE") or ".run/local/cloud").resolve()
        cache = environment.get("LOCAL_CLOUD_CACHE") or "~/.cache/cart-canary"
        settings = cls(state=state, cache=Path(cache).expanduser().absolute())
        return replace(settings, **_chosen(recorded(state) | named(environment)))


def recorded(state: Path) -> dict[str, str]:
    """Return the recorded settings of the cloud in ``state``."""
    path = state / "settings.json"
    if not path.exists():
        return {}
    return {name: str(value) for name, value in json.loads(path.read_text()).items()}


def named(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings from environment variables."""
    names = ("bridge", "network", "port")
    values = {name: environment.get(f"LOCAL_CLOUD_{name.upper()}", "") for name in names}
    return {name: value for name, value in values.items() if value}


def _chosen(values: Mapping[str, str]) -> dict[str, Any]:
    converters: dict[str, Callable[[str], Any]] = {
        "bridge": str,
        "network": _network,
        "port": _port,
    }
    return {name: converters[name](value) for name, value in values.items() if name in converters}


def _network(value: str) -> IPv4Network:
    try:
        return IPv4Network(value)
    except ValueError:
        message = f'"{value}" is not an IPv4 network. Set LOCAL_CLOUD_NETWORK, e.g. 10.77.0.0/16.'
        raise NetworkError(message) from None


def _port(value: str) -> int:
    if not value.isdigit() or not 1024 <= int(value) < 65535:
        raise NetworkError(
            f'"{value}" is not a port from 1024 to 65534. Set LOCAL_CLOUD_PORT, e.g. to 4566.'
        )
    return int(value)
