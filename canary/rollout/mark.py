"""The stage of a canary, so that another process can resume it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from canary.rollout.outcome import Ending


class Stage(enum.StrEnum):
    """The stages of a canary, in order.

    ``RAISE``: a weight is being set; the proxy may or may not have it. ``COMMIT``: the candidate is
    being made live, on the proxy and in the state. ``END``: the ending is decided.
    """

    START = "start"
    DEPLOY = "deploy"
    RAISE = "raise"
    STEP = "step"
    HOLD = "hold"
    GATE = "gate"
    BAKE = "bake"
    COMMIT = "commit"
    END = "end"


@dataclass(frozen=True, slots=True)
class Mark:
    """The stage of a canary.

    Attributes:
        share: the weight that is being set.
        until: the time at which a hold, a gate or a bake ends.
        ending: how the canary ends, unless a person decides otherwise.
        begun: the hooks that were started.
    """

    stage: Stage = Stage.START
    share: float = 0.0
    until: float = 0.0
    ending: Ending | None = None
    begun: list[str] = field(default_factory=list)
