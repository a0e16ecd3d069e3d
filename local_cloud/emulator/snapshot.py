"""Save moto's state to disk, so that it survives when the daemon is killed.

A snapshot is one pickle of all backends in use, written to a temporary file and renamed. It names
backends instead of copying them: loading fills the backends that moto created at its start, so
references inside moto stay valid. The bodies of S3 objects are separate files, each written once.
"""

import hashlib
import io
import marshal
import pickle
import threading
import types
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from moto import backends
from moto.core.base_backend import BackendDict, BaseBackend
from moto.s3.models import FakeKey

from local_cloud.emulator import DEBIAN_OWNER
from local_cloud.errors import DaemonError

Entry = tuple[str, str, str, dict[str, Any]]
FORMAT = 1
NOT_KEPT = {"cloudwatch", "instance_metadata", "moto_api"}  # CloudWatch has its own snapshot
SMALL = 4096


def in_use() -> Iterator[tuple[str, str, str, BaseBackend]]:
    """Yield service, account, region and backend of all backends in use."""
    used: list[Any] = list(vars(BackendDict)["_instances"])
    for service in used:
        if service.service_name not in NOT_KEPT:
            for account, region, backend in list(service.iter_backends()):
                yield service.service_name, account, region, backend


class Writer(pickle.Pickler):
    """Pickle moto's objects: backends by name, bodies in files, locks as new locks."""

    def __init__(self, target: io.BytesIO, bodies: "Bodies") -> None:
        super().__init__(target, protocol=5)
        self.bodies = bodies
        self.names = {id(entry[3]): entry[:3] for entry in in_use()}

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, BaseBackend):
            name = self.names.get(id(value))
            return None if name is None else ("backend", *name)
        if isinstance(value, Body):
            return ("body", value.name)
        if isinstance(value, bytes) and len(value) > SMALL:
            return ("body", self.bodies.keep(value))
        return None

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, FakeKey):
            return self.bodies.reduce(value)
        if isinstance(value, types.FunctionType) and "<" in value.__qualname__:
            return restore_function, (marshal.dumps(value.__code__), value.__module__)
        if isinstance(value, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            der = value.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            return restore_private_key, (der,)
        if isinstance(value, defaultdict) and type(value) is not defaultdict:
            made = restore_dictionary, (type(value), value.default_factory)
            return *made, vars(value), None, iter(value.items())
        maker = LOCKS.get(type(value))
        return NotImplemented if maker is None else (maker, ())


LOCKS: dict[type, Callable[[], Any]] = {
    type(threading.Lock()): threading.Lock,
    type(threading.RLock()): threading.RLock,
    threading.Condition: threading.Condition,
    threading.Event: threading.Event,
}


def restore_dictionary(kind: Any, factory: Any) -> Any:
    """Return an empty dictionary of a class of moto, without calling its ``__init__``."""
    made = kind.__new__(kind)
    made.default_factory = factory
    return made


def restore_private_key(der: bytes) -> Any:
    return load_der_private_key(der, None)


def restore_function(code: bytes, module: str) -> types.FunctionType:
    """Return an anonymous function of moto. The same version of Python must read the snapshot."""
    namespace = __import__(module, fromlist=["_"]).__dict__
    return types.FunctionType(marshal.loads(code), namespace)  # noqa: S302 - our own file


@dataclass(frozen=True)
class Body:
    """A reference in a snapshot to the bytes in a file."""

    name: str
    size: int


UNKEPT = ("_value_buffer", "lock", "_local_cloud_body")


class Bodies:
    """Large byte strings, each in a file named by its hash and written once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.used: set[str] = set()

    def keep(self, value: bytes) -> str:
        """Store ``value`` if it is new, and return its name."""
        name = hashlib.sha256(value).hexdigest()
        path = self.directory / name
        if not path.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            partial.write_bytes(value)
            partial.rename(path)
        self.used.add(name)
        return name

    def reduce(self, key: Any) -> Any:
        """Return the pickle recipe of an S3 object. Its body is hashed only once."""
        noted: Body | None = vars(key).get("_local_cloud_body")
        if noted is None or noted.size != key.contentsize:
            noted = Body(self.keep(key.value), key.contentsize)
            key._local_cloud_body = noted
        self.used.add(noted.name)
        state = {name: part for name, part in vars(key).items() if name not in UNKEPT}
        return FakeKey.__new__, (FakeKey,), {**state, "value": noted}

    def read(self, name: str) -> bytes:
        return (self.directory / name).read_bytes()

    def drop_unused(self) -> None:
        """Remove the bodies that the last snapshot does not refer to."""
        for path in self.directory.glob("*"):
            if path.name not in self.used:
                path.unlink()


class Reader(pickle.Unpickler):
    def __init__(self, source: io.BytesIO, bodies: Bodies) -> None:
        super().__init__(source)
        self.bodies = bodies

    def persistent_load(self, name: Any) -> Any:
        if name[0] == "body":
            return self.bodies.read(name[1])
        _, service, account, region = name
        return backends.get_backend(service)[account][region]


def save(directory: Path) -> None:
    """Write everything to ``directory``.

    Raises:
        DaemonError: a service cannot be saved; the others were saved.
    """
    contents = [(*entry[:3], vars(entry[3])) for entry in in_use()]
    refused: dict[str, str] = {}
    try:
        write(directory, contents)
    except Exception:
        refused = refusals(directory, contents)  # none if a thread changed the state meanwhile
        write(directory, [entry for entry in contents if " ".join(entry[:3]) not in refused])
    if refused:
        said = "; ".join(f"{name}: {reason}" for name, reason in refused.items())
        raise DaemonError(f"All but this was saved, which will be gone after a restart: {said}")


def write(directory: Path, contents: list[Entry]) -> None:
    bodies, target = Bodies(directory / "bodies"), io.BytesIO()
    Writer(target, bodies).dump((FORMAT, contents))
    directory.mkdir(parents=True, exist_ok=True)
    partial = directory / "snapshot.new"
    partial.write_bytes(target.getvalue())
    partial.rename(directory / "snapshot")
    bodies.drop_unused()


def refusals(directory: Path, contents: list[Entry]) -> dict[str, str]:
    """Return the backends that cannot be pickled, and the reasons."""
    found: dict[str, str] = {}
    for entry in contents:
        try:
            Writer(io.BytesIO(), Bodies(directory / "bodies")).dump(entry)
        except Exception as error:
            found[" ".join(entry[:3])] = str(error)
    return found


def load(directory: Path) -> bool:
    """Load what ``save`` wrote. Return False if there is no snapshot."""
    path = directory / "snapshot"
    if not path.exists():
        return False
    try:
        _, contents = Reader(io.BytesIO(path.read_bytes()), Bodies(directory / "bodies")).load()
    except Exception as error:
        raise DaemonError(
            f"What AWS knew, {path}, cannot be read: {type(error).__name__}: {error}. "
            "Start afresh: local-cloud destroy && local-cloud up"
        ) from error
    for service, account, region, state in contents:
        backend: Any = backends.get_backend(service)[account][region]
        backend.__dict__.clear()
        backend.__dict__.update(state)
        if service == "ec2":
            renew_catalogue(backend)
    return True


def renew_catalogue(backend: Any) -> None:
    """Replace the AMIs in the snapshot by the current one."""
    kept = {name: image for name, image in backend.amis.items() if image.owner_id != DEBIAN_OWNER}
    backend.amis = kept
    backend._load_amis()
