"""A fault, and its possible targets."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.hosts import shop
from tests.chaos.load import Load
from tests.chaos.relay import Relay


@dataclass
class Scene:
    """The possible targets of a fault."""

    live: str
    idle: str
    canary: subprocess.Popen[str]
    relay: Relay
    load: Load

    @property
    def alive(self) -> str:
        """The live host that is not the canary's baseline."""
        return shop(self.live, 2)

    @property
    def candidate(self) -> str:
        return shop(self.idle, 1)


@dataclass(frozen=True)
class Fault:
    """A fault: how to inflict it and how to heal it.

    Attributes:
        evidence: it removes metrics; it lasts until the canary ends, which must not be PASS.
        pairs: it may be combined with another fault.
        minutes: it takes minutes, so the canary gets higher limits.
        served: whether customers can be served: there is a proxy and a store for orders.
    """

    name: str
    inflict: Callable[[Scene], object]
    heal: Callable[[Scene], object] = lambda _scene: None
    evidence: bool = False
    pairs: bool = True
    minutes: bool = False
    served: bool = True
