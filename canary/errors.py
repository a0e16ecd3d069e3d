"""All errors of canary as one tree, and the exit status that each command ends with.

CanaryError
├── PolicyError     the policy file is wrong: fix it, nothing has run
├── RecordingError  a recording is not readable, or was made by another schema
├── CalibrationError  what a rehearsal learned is damaged, or not of this version
├── SourceError     metrics could not be read, so nothing is judged
├── TrafficError    the proxy did not take a weight: its lease returns traffic to the baseline
├── StateError      lock, live colour or history could not be read or written
│   └── LockLostError  the lock is free, or another process holds it
├── ArtifactError   a release could not be built, stored or found
├── ExtraError      a library that the policy needs is not installed
├── FreezeError     the environment is frozen: no release may start now
└── HookError       a command that the policy names failed or ran out of time

Each message is a sentence: what is wrong with the value seen, what is allowed, what to type.
"""

from __future__ import annotations

import enum


class ExitStatus(enum.IntEnum):
    """The exit status of a command."""

    PASS = 0
    FAIL = 1
    COULD_NOT_RUN = 2
    INCONCLUSIVE = 3


class Interruption(BaseException):
    """A request to stop the canary; the message says how. No ``except Exception`` catches it."""


class CanaryError(Exception):
    """Base of all expected errors; the command prints the message and exits with status 2."""


class PolicyError(CanaryError):
    """The policy file is wrong: fix it, nothing has run."""


class RecordingError(CanaryError):
    """A recording is not readable, or has an unknown schema version."""


class CalibrationError(CanaryError):
    """A calibration file is damaged, or has another version."""


class SourceError(CanaryError):
    """Metrics could not be read, so nothing is judged."""


class TrafficError(CanaryError):
    """The proxy did not take a weight: its lease returns traffic to the baseline."""


class StateError(CanaryError):
    """Lock, live colour or history could not be read or written."""


class LockLostError(StateError):
    """The lock of the environment is free, or another process holds it."""


class ArtifactError(CanaryError):
    """A release could not be built, stored or found."""


class ExtraError(CanaryError):
    """A library that the policy needs is not installed."""


class FreezeError(CanaryError):
    """The environment is frozen: no release may start now."""


class HookError(CanaryError):
    """A command that the policy names failed or ran out of time."""
