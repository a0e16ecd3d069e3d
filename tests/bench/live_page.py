"""Make the page of a running, simulated canary, for a picture in the docs."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from canary.live.files import LiveFiles, read
from canary.live.page import page
from canary.model import Judgement, Recording
from canary.simulation import World

LOOKS = 24


def watched() -> str:
    """Return the page of a running canary, two minutes after its start."""
    with tempfile.TemporaryDirectory() as name:
        shown: list[str] = []

        class Follower(LiveFiles):
            def look(self, recording: Recording, judgements: Sequence[Judgement]) -> None:
                super().look(recording, judgements)
                if len(judgements) == LOOKS:
                    shown.append(page(read(Path(name)), world.policy))

        world = World()
        world.run("picture", "v1.1", Path(name), Follower(Path(name)))
    return shown[0]
