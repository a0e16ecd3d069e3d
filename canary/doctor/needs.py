"""What an environment needs of its account: a file that the playbooks write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from canary.errors import PolicyError
from canary.reading import SMALL, read_bytes


class Part(BaseModel):
    """A part of the file. A misspelt key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Image(Part):
    """A machine image: the newest match is launched."""

    owner: str
    name: str


class Size(Part):
    """What the environment is charged for, besides its instances.

    Attributes:
        addresses: public IPv4 addresses, also those of NAT gateways.
        metrics: custom metrics; each set of dimensions is one.
        publishers: instances that publish metrics, every ``period`` seconds.
    """

    volume_gb: int
    nat_gateways: int
    addresses: int
    metrics: int
    publishers: int
    period: int
    alarms: int
    dashboards: int


class Needs(Part):
    """Everything that the checks compare with the account.

    Attributes:
        instances: number of instances by type.
        zones: availability zones that the inventory names.
        elastic_addresses: Elastic IPs of hosts and NAT gateways.
        resources: one ARN of each kind, on which rights are simulated (``rights.kind``).
        tags: tags of the environment's instances.
        administrators: networks that may reach SSH.
        door: name of the security group that admits them.
        certificates: files that the proxy serves.
        authority: the private authority that signs them, if site.yml makes both.
        policy: the policy file, which the playbooks render.
        site: the command that provisions the environment.
    """

    account: Annotated[str, Field(pattern=r"^(\d{12})?$")]
    region: str
    endpoint_url: str | None = None
    instances: dict[str, int]
    zones: list[str] = []
    elastic_addresses: int = 0
    resources: dict[str, str] = {}
    size: Size
    image: Image
    tags: dict[str, str]
    administrators: list[str]
    door: str
    topic: str
    emails: list[str] = []
    certificates: list[str] = []
    authority: str = ""
    policy: str
    site: str


def load_needs(path: Path) -> Needs:
    """Read the file.

    Raises:
        PolicyError: it is missing or not valid.
    """
    if not path.exists():
        raise PolicyError(
            f"There is no {path}, which says what the environment needs of its AWS account. To "
            "write it: ansible-playbook -i inventory/aws playbooks/doctor.yml. An environment "
            "without an account is examined by canary check FILE and canary status"
        )
    try:
        return Needs.model_validate_json(read_bytes(path, SMALL))
    except OSError as error:
        raise PolicyError(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{_where(each['loc'])}: {each['msg']}" for each in error.errors())
        raise PolicyError(f"{path} is not valid: {faults}") from error


def _where(place: tuple[int | str, ...]) -> str:
    return ".".join(map(str, place)) or "file"
