"""Instance metadata at 169.254.169.254: a tree of names and texts."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Union

from local_cloud.emulator import ACCOUNT
from local_cloud.emulator.lifecycle import Instance
from local_cloud.emulator.roles import Credentials

Leaf = Callable[[], str]
Tree = Mapping[str, Union[str, Leaf, "Tree"]]
STAMP = "%Y-%m-%dT%H:%M:%SZ"


class CredentialCache:
    """One role session per instance, renewed well before it expires."""

    def __init__(self, assume: Callable[[str, str, str, datetime], Credentials]) -> None:
        self.assume = assume
        self._held: dict[tuple[str, str], Credentials] = {}

    def document(self, instance: Instance, now: datetime) -> str:
        """Return the credentials as JSON, as SDKs read them."""
        name = (instance.id, instance.role)
        held = self._held.get(name)
        if held is None or held.expires - now < timedelta(minutes=30):
            held = self.assume(instance.role, instance.id, instance.region, now)
            self._held[name] = held
        fields = {
            "Code": "Success",
            "LastUpdated": held.updated.strftime(STAMP),
            "Type": "AWS-HMAC",
            "AccessKeyId": held.access_key,
            "SecretAccessKey": held.secret_key,
            "Token": held.token,
            "Expiration": held.expires.strftime(STAMP),
        }
        return json.dumps(fields, indent=2)


@dataclass(frozen=True)
class Metadata:
    """The metadata tree of one instance."""

    instance: Instance
    credentials: CredentialCache

    def answer(self, path: str) -> str | None:
        """Return the text of a leaf or the listing of a directory; None if the path is unknown."""
        parts = [part for part in path.split("/") if part]
        if not parts:
            return "latest"
        node: str | Leaf | Tree = self.tree() if parts[0] == "latest" else {}
        for part in parts[1:]:
            if not isinstance(node, Mapping) or part not in node:
                return None
            node = node[part]
        if isinstance(node, str):
            return node
        return listing(node) if isinstance(node, Mapping) else node()

    def tree(self) -> Tree:
        tree: dict[str, str | Leaf | Tree] = {
            "meta-data": self.meta_data(),
            "dynamic": {"instance-identity": {"document": self.identity}},
        }
        if self.instance.user_data:
            tree["user-data"] = self.instance.user_data
        return tree

    def meta_data(self) -> Tree:
        instance = self.instance
        domain = f"{instance.hostname}.{instance.region}.compute.internal"
        tree: dict[str, str | Leaf | Tree] = {
            "ami-id": instance.image,
            "hostname": domain,
            "instance-id": instance.id,
            "instance-life-cycle": "on-demand",
            "instance-type": instance.type,
            "local-hostname": domain,
            "local-ipv4": instance.ip,
            "mac": instance.mac,
            "network": {"interfaces": {"macs": {instance.mac: self.interface()}}},
            "placement": {"availability-zone": instance.zone, "region": instance.region},
            "security-groups": "\n".join(instance.security_groups),
            "services": {"domain": "amazonaws.com", "partition": "aws"},
        }
        if instance.public_key:
            key: Tree = {"openssh-key": instance.public_key}
            tree["public-keys"] = {"0": key, "": f"0={instance.key_name}"}
        if instance.metadata_tags:
            tree["tags"] = {"instance": dict(instance.tags)}
        if instance.profile:
            tree["iam"] = self.iam()
        return tree

    def interface(self) -> Tree:
        return {
            "local-ipv4s": self.instance.ip,
            "mac": self.instance.mac,
            "owner-id": ACCOUNT,
            "subnet-id": self.instance.subnet,
            "vpc-id": self.instance.vpc,
        }

    def iam(self) -> Tree:
        def keys() -> str:
            return self.credentials.document(self.instance, datetime.now(UTC).replace(tzinfo=None))

        info = {"Code": "Success", "InstanceProfileArn": self.instance.profile}
        role = self.instance.role
        return {"info": json.dumps(info), "security-credentials": {role: keys} if role else {}}

    def identity(self) -> str:
        """Return the instance identity document (unsigned)."""
        instance = self.instance
        fields = {
            "accountId": ACCOUNT,
            "architecture": "x86_64",
            "availabilityZone": instance.zone,
            "imageId": instance.image,
            "instanceId": instance.id,
            "instanceType": instance.type,
            "pendingTime": instance.launched,
            "privateIp": instance.ip,
            "region": instance.region,
            "version": "2017-09-30",
        }
        return json.dumps(fields, indent=2)


def listing(node: Tree) -> str:
    """Return a directory in the format of AWS. An entry "" is the listing itself."""
    if "" in node:
        return str(node[""])
    return "\n".join(
        f"{name}/" if isinstance(child, Mapping) else name for name, child in sorted(node.items())
    )
