"""Takes an environment's lock as a canary does, on a machine whose clock may be wrong.

``python -m tests.support.lock_holder POLICY NAME SKEW WORK`` prints a line for each action.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import yaml

from canary.cli.assemble import state_of
from canary.environment import parse_environment
from canary.errors import StateError
from canary.rollout import lock
from canary.state.base import Holder

# The durations of a canary, six times as fast.
lock.LOCK_SECONDS, lock.RENEWAL, lock.POLL = 10.0, 2.5, 0.4
STEP = 0.2


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main(policy: str, name: str, skew: float, work: float) -> str:
    """Hold the lock for some seconds of work; return how that ended."""
    document = yaml.safe_load(Path(policy).read_text(encoding="utf-8"))
    state = state_of(parse_environment(document["environment"]))
    started = time.time() + skew
    holder = Holder(name, f"{name}@test", started, started + lock.LOCK_SECONDS)
    tenure = lock.Tenure(state, holder, time.monotonic)
    try:
        for pause in tenure.take(lambda _: say("waits")):
            time.sleep(pause)
    except StateError:
        return "refused"
    say("holds")
    end = time.monotonic() + work
    while time.monotonic() < end:
        time.sleep(STEP)
        if tenure.over:
            return "gave-up"
        say("acts", time.monotonic())
        if tenure.due:
            try:
                tenure.renew(time.time() + skew)
            except StateError:
                return "lost"
    state.free(tenure.holder)
    return "done"


if __name__ == "__main__":
    say(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])))
