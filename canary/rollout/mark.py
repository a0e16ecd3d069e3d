"""How far a canary is, so that another process can go on with it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from canary.rollout.outcome import Ending


class Stage(enum.StrEnum):
    """The stages of a canary, in their order.

    ``RAISE``: a weight is being set; the proxy may have it or not. ``COMMIT``: the candidate is
    being made live, on the proxy and in the state. ``END``: how it ends is decided.
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
        until: time limit of a hold, a gate or a bake.
        ending: how the canary ends, or what a person may still decide on.
        begun: the hooks that were started.
    """

    stage: Stage = Stage.START
    share: float = 0.0
    until: float = 0.0
    ending: Ending | None = None
    begun: list[str] = field(default_factory=list)
