"""Find a host by Name tag, instance id, address, or the name of a host without EC2."""

from typing import Any

from local_cloud.cloud import instances
from local_cloud.errors import HostError
from local_cloud.machine import Machine, names
from local_cloud.settings import Settings


def find_machine(settings: Settings, called: str) -> Machine:
    """Return the one host with this name."""
    listed = known_hosts(settings)
    found = [each for each in listed if called in (each["id"], each["name"], each["ip"])]
    if len(found) == 1:
        return Machine(settings, found[0]["id"])
    if found:
        ids = ", ".join(each["id"] for each in found)
        raise HostError(
            f'{len(found)} hosts have the name "{called}". Use one of these ids: {ids}.'
        )
    known = ", ".join(sorted(each["name"] or each["id"] for each in listed)) or "none"
    raise HostError(f'There is no host "{called}". Hosts: {known}.')


def known_hosts(settings: Settings) -> list[dict[str, Any]]:
    """Return every instance of the API and every host that has a directory."""
    listed = [each for each in instances(settings) if each["state"] != "shutting-down"]
    ids = {each["id"] for each in listed}
    for name in names(settings):
        machine = Machine(settings, name)
        if name not in ids:
            state = "stopped" if machine.pid is None else "running"
            kind = "instance" if machine.host.instance else "lone"
            host = {"id": name, "name": "", "state": state, "ip": machine.host.ip, "type": kind}
            listed.append(host)
    return listed
