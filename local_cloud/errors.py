"""Every way the local cloud can fail, as one tree.

LocalCloudError
├── PreflightError  this machine cannot run it, or not yet: says what to type
├── CommandError    a program of the system refused: its own words are quoted
├── ImageError      the base image could not be built, or is not what was built
├── NetworkError    bridge, address or name is someone else's
├── HostError       a host did not boot, stop or answer
└── DaemonError     the emulator did not start or does not answer

Each message is a sentence: what is wrong with the value seen, what is allowed, what to type.
"""


class LocalCloudError(Exception):
    """Anything the user can cause or meet; the command prints it and exits with status 2."""


class PreflightError(LocalCloudError):
    """This machine cannot run the local cloud, or not yet."""


class CommandError(LocalCloudError):
    """A program of the system refused."""


class ImageError(LocalCloudError):
    """The base image could not be built, or is not what was built."""


class NetworkError(LocalCloudError):
    """Bridge, address or name is someone else's."""


class HostError(LocalCloudError):
    """A host did not boot, stop or answer."""


class DaemonError(LocalCloudError):
    """The emulator did not start or does not answer."""
