"""The follower: makes hosts follow the states of their EC2 instances.

Level-triggered: each round compares the state of every instance with its host. No event can be
missed, and after a kill the next daemon continues.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from ipaddress import IPv4Address

from local_cloud.emulator import image_key
from local_cloud.emulator.lifecycle import (
    Instance,
    forget_terminated,
    instances,
    rebooted,
    settle,
)
from local_cloud.emulator.security import permissions
from local_cloud.errors import HostError, LocalCloudError
from local_cloud.groups import Firewall
from local_cloud.host import Host
from local_cloud.image import Image
from local_cloud.machine import Machine, names
from local_cloud.readiness import await_ssh
from local_cloud.settings import Settings

LOG = logging.getLogger(__name__)
PERIOD = 0.2
WORKERS = 4
DOMAIN = "local.internal"


class Action(StrEnum):
    """The action for one instance."""

    BOOT = "boot"
    HALT = "halt"
    REBOOT = "reboot"
    REMOVE = "remove"
    FOLLOW_SHUTDOWN = "follow shutdown"


def due(instance: Instance, *, exists: bool, runs: bool, halted: bool) -> Action | None:
    """Return the action that brings the host to the state of its instance."""
    if instance.state in ("shutting-down", "terminated"):
        pending = instance.state == "shutting-down"
        return Action.REMOVE if exists or pending else None
    if instance.state in ("stopping", "stopped"):
        return Action.HALT if runs or instance.state == "stopping" else None
    if instance.state == "pending":
        return Action.BOOT
    if not runs:
        return Action.FOLLOW_SHUTDOWN if halted else Action.BOOT
    return Action.REBOOT if instance.reboot else None


class Follower:
    def __init__(
        self, settings: Settings, nameservers: tuple[str, ...], changed: Callable[[], None]
    ) -> None:
        self.settings = settings
        self.nameservers = nameservers
        self.changed = changed
        self.firewall = Firewall(settings)
        self._busy: set[str] = set()
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="host")
        self._thread = threading.Thread(target=self._run, name="follower")

    def start(self) -> None:
        """Start the follower, and boot the hosts that were stopped together with the daemon."""
        for name in names(self.settings):
            Machine(self.settings, name).forget_halt()
        self.firewall.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop the follower. The hosts keep running."""
        self._stopping.set()
        self._thread.join()
        self._pool.shutdown()

    def _run(self) -> None:
        while not self._stopping.wait(PERIOD):
            try:
                self.round()
            except Exception:
                LOG.exception("This round failed; the next one tries again")

    def round(self) -> None:
        """Compare every instance with its host, and start the actions that are due."""
        forget_terminated()
        listed = instances()
        self.firewall.follow(listed, permissions())  # must precede the boot of a new host
        known = {instance.id for instance in listed}
        for instance in listed:
            machine = Machine(self.settings, instance.id)
            action = due(
                instance,
                exists=machine.exists,
                runs=machine.pid is not None,
                halted=machine.halted,
            )
            if action is not None:
                self._begin(instance.id, ACTIONS[action], instance, machine)
        for name in names(self.settings):
            machine = Machine(self.settings, name)
            if name not in known and machine.exists and machine.host.instance:
                self._begin(name, lambda _, __, machine: machine.remove(), None, machine)

    def _begin(
        self, name: str, work: Callable[..., None], instance: Instance | None, machine: Machine
    ) -> None:
        if name in self._busy:
            return
        self._busy.add(name)

        def finish() -> None:
            try:
                work(self, instance, machine)
                self.changed()
            except Exception:
                LOG.exception("%s", name)
            finally:
                self._busy.discard(name)

        self._pool.submit(finish)

    def boot(self, instance: Instance, machine: Machine) -> None:
        """Boot the host and set the instance to running, or record why it failed.

        A new instance that cannot boot is terminated, as on AWS. An instance with a disk is only
        stopped, so that the disk is kept.
        """
        failed = "stopping" if machine.exists else "shutting-down"
        try:
            machine.create(self.record(instance))
            machine.start()
            self.await_ready(machine)
        except (LocalCloudError, OSError) as error:
            LOG.error("%s did not boot: %s", instance.id, error)
            settle(instance.id, instance.state, failed, f"Server.InternalError: {error}")
            return
        settle(instance.id, "pending", "running")
        LOG.info("%s runs at %s", instance.id, instance.ip)

    def await_ready(self, machine: Machine) -> None:
        """Wait for SSH. A host that runs without SSH is accepted: its owner may want that."""
        try:
            await_ssh(machine.host.address)
        except HostError as error:
            if machine.leader is None:
                raise HostError(f"The host ended at its boot. {machine.log_end()}") from None
            LOG.warning("%s runs, but %s", machine.name, error)

    def record(self, instance: Instance) -> Host:
        """Return the host record of an instance."""
        if IPv4Address(instance.ip) not in self.settings.network:
            raise HostError(
                f"The address {instance.ip} is outside {self.settings.network}, where hosts are. "
                "Launch instances in a subnet of a VPC within it."
            )
        image = Image(self.settings.images).directory / image_key(instance.image) / "root"
        return Host(
            name=instance.id,
            ip=instance.ip,
            hostname=instance.hostname,
            image=str(image),
            keys=(instance.public_key,) if instance.public_key else (),
            user_data=instance.user_data,
            nameservers=self.nameservers,
            search=DOMAIN,
            instance=True,
        )

    def halt(self, instance: Instance, machine: Machine) -> None:
        machine.stop()
        settle(instance.id, "stopping", "stopped")
        LOG.info("%s stopped", instance.id)

    def reboot(self, instance: Instance, machine: Machine) -> None:
        machine.reboot()
        rebooted(instance.id)
        LOG.info("%s reboots", instance.id)

    def remove(self, instance: Instance, machine: Machine) -> None:
        machine.remove()
        settle(instance.id, "shutting-down", "terminated")
        LOG.info("%s terminated", instance.id)

    def follow_shutdown(self, instance: Instance, machine: Machine) -> None:
        """Stop or terminate the instance, as configured, after its host shut itself down."""
        reason = "Client.InstanceInitiatedShutdown: Instance initiated shutdown"
        machine.forget_halt()
        to = "shutting-down" if instance.on_shutdown == "terminate" else "stopping"
        settle(instance.id, "running", to, reason)


ACTIONS: dict[Action, Callable[[Follower, Instance, Machine], None]] = {
    Action.BOOT: Follower.boot,
    Action.HALT: Follower.halt,
    Action.REBOOT: Follower.reboot,
    Action.REMOVE: Follower.remove,
    Action.FOLLOW_SHUTDOWN: Follower.follow_shutdown,
}
