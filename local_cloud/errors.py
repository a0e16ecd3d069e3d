"""The errors of the local cloud as one tree.

LocalCloudError ├── PreflightError this machine cannot run it (yet); the message says what to type
├── CommandError a system program failed; the message quotes it ├── ImageError the base image could
not be built, or was changed after its build ├── NetworkError bridge, address or name belongs to
something else ├── HostError a host did not boot, stop or respond └── DaemonError the emulator did
not start or does not respond

Each message says what is wrong with which value, what is allowed, and what to type.
"""


class LocalCloudError(Exception):
    """Any error a user can see. The command prints it and exits with status 2."""


class PreflightError(LocalCloudError):
    """This machine cannot run the local cloud (yet)."""


class CommandError(LocalCloudError):
    """A system program failed."""


class ImageError(LocalCloudError):
    """The base image could not be built, or was changed after its build."""


class NetworkError(LocalCloudError):
    """Bridge, address or name belongs to something else."""


class HostError(LocalCloudError):
    """A host did not boot, stop or respond."""


class DaemonError(LocalCloudError):
    """The emulator did not start or does not respond."""
