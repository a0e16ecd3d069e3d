"""The steps: raise the weight, judge every period, continue or end."""

from __future__ import annotations

from canary.errors import SourceError, TrafficError
from canary.model import Judgement
from canary.rollout import gates
from canary.rollout.context import Context
from canary.rollout.decision import Decision, Move, decide, only_if_seen, without_answer
from canary.rollout.liveness import silence
from canary.rollout.mark import Stage
from canary.rollout.missing_metrics import forgotten, unsent
from canary.rollout.outcome import Ending
from canary.rollout.progress import Progress
from canary.rollout.watch import Watch, states_of
from canary.traffic.base import Status

SLIP = 0.5
"""If the real share differs from a step's by more than this part of it, setting it has failed."""

LEAD = 1.5
"""The first weight is set this many seconds before a period, because only whole periods are judged.
If the proxy responds slowly, the weight is set earlier."""
SETTING = 3.0
"""Setting a weight takes up to this many times as long as reading it."""
TOLD = 2.0
"""A wait longer than this many seconds is announced."""


def observe(context: Context, progress: Progress, watch: Watch) -> Ending | None:
    """Go through all steps; return how the canary ended, or None if it may be promoted."""
    await_period(context)
    return climb(context, progress, watch)


def climb(context: Context, progress: Progress, watch: Watch) -> Ending | None:
    """Go through the steps, beginning with the one whose weight is already set, if any."""
    context.progress = progress
    first = max(0, progress.index)
    for index, share in enumerate(context.timing.steps[first:], start=first):
        if index > progress.index:
            context.touched = True
            context.reach(Stage.RAISE, share=share)
            raise_weight(context, progress, share)
            context.reach(Stage.STEP)
        ending = StepLoop(context, progress, watch, index).run()
        if ending is not None:
            return ending
    return None


def raise_weight(context: Context, progress: Progress, share: float) -> None:
    """Set a weight, and check the share that the proxy reports."""
    traffic, colour = context.ports.traffic, progress.pairing.candidate.colour
    context.touched = True
    context.keeper.beat()
    status = traffic.set(colour, share, context.timing.lease, progress.pairing.matched)
    context.keeper.leased()
    real = status.share(colour)
    if not near(real, share):
        raise TrafficError(f"{colour} should carry {share:.1%}, but the proxy gives it {real:.1%}")
    begin_step(context, progress, status, share)


def near(real: float, share: float) -> bool:
    """Return whether a real share is close enough to the share that was set."""
    return abs(real - share) <= SLIP * share


def begin_step(context: Context, progress: Progress, status: Status, share: float) -> None:
    """Begin the step whose weight the proxy has, at the next whole period."""
    traffic, colour = context.ports.traffic, progress.pairing.candidate.colour
    start = context.timing.boundary(context.now())
    if not progress.steps:
        progress.readings.end = start
    progress.begin(start, status)
    progress.index, progress.began, progress.share = progress.index + 1, start, share
    context.say("step", f"{colour} carries {status.share(colour):.1%} of traffic")
    progress.counted.start(status)
    context.sleep_until(start)
    try:
        progress.counted.start(traffic.status())
    except TrafficError as error:  # the first period then counts slightly too many requests
        context.warn(str(error))


def await_period(context: Context) -> None:
    """Wait for the next whole period, because a part of one cannot be judged."""
    before = context.now()
    context.ports.traffic.status()
    lead = max(LEAD, SETTING * (context.now() - before))
    begin = context.timing.boundary(context.now() + lead) - lead
    seconds = begin - context.now()
    if seconds > TOLD:
        context.say("waiting", f"traffic starts with the next period, in {seconds:.0f} s")
    context.sleep_until(begin)


class StepLoop:
    """One step of a canary."""

    def __init__(self, context: Context, progress: Progress, watch: Watch, index: int) -> None:
        self._context = context
        self._progress = progress
        self._watch = watch
        self._index = index
        self._start = progress.began or progress.steps[-1].start
        self._counted = max(self._start, progress.readings.end)
        self._elapsed_before = self._start - progress.steps[0].start
        self._cautious = False

    def run(self) -> Ending | None:
        """Judge every period until the step is over; None: continue."""
        look = max(self._start, self._progress.readings.end)
        decision = Decision(Move.WAIT)
        while True:
            look = self._wait(look, decision)
            ending = self._watch.look()
            if ending is None:
                decision = self._judge(look)
                self._context.reach(Stage.STEP)
                ending = decision.ending
                if decision.move in (Move.ADVANCE, Move.PASS):
                    return None
            if ending is not None:
                return ending

    def _wait(self, last: int, decision: Decision) -> int:
        """Wait until the next period has settled, or until the last one can be read once more.

        After a delay, skip to the newest period.
        """
        timing = self._context.timing
        if decision.move is Move.RETRY:
            look, moment = last, timing.last_call(self._progress.readings.end)
        else:
            look, moment = last + timing.period, timing.until(last + timing.period)
        self._context.sleep_until(moment)
        return max(look, timing.look(self._context.now()))

    def _judge(self, look: int) -> Decision:
        progress, context = self._progress, self._context
        try:
            progress.readings.read(look)
        except SourceError as error:
            context.warn(str(error))
            source = context.ports.source.describe()
            return without_answer(context.timing, source, progress.readings.end, context.now())
        if self._watch.status is not None:
            self._count(self._watch.status, look)
        silent = silence(context.policy, progress, look)
        decision = self._decided(look, silent.newest)
        if decision.move is not Move.FAIL:
            lost = silent.lasting or forgotten(context, progress, silent.metrics)
            if reason := lost or unsent(context, progress, silent.hosts, look, self._watch.status):
                return Decision(Move.STOP, reason)
        return self._allowed(decision)

    def _count(self, status: Status, look: int) -> None:
        """Add the proxy's counts since the last look.

        If the weights changed meanwhile, because other live servers are up, the periods since then
        belong to no step: each step of the recording has one split.
        """
        progress, now = self._progress, int(self._context.now())
        if status.weights != progress.weights:
            progress.begin(max(progress.steps[-1].start, self._counted) + 1, status)
            progress.counted.add(status, None, look)
            progress.begin(max(progress.steps[-1].start, now), status)
            self._tell(status)
        else:
            progress.counted.add(status, len(progress.steps) - 1, look)
        self._counted = now

    def _tell(self, status: Status) -> None:
        colour, down = self._progress.pairing.candidate.colour, status.down(status.live)
        why = states_of(status, down) if down else "every live server is up"
        carries = f"{colour} carries {status.share(colour):.1%} of traffic"
        self._context.say("step", f"the proxy set its weights again, because {why}: {carries}")

    def _decided(self, look: int, unseen: str) -> Decision:
        progress, context, timing = self._progress, self._context, self._context.timing
        served = look - self._start
        elapsed = self._elapsed_before + served
        if elapsed < timing.warmup:
            return Decision(Move.WAIT)
        progress.looks.append(look)
        recording = progress.recording(context.events)
        progress.judgements.append(context.ports.judge(recording, look))
        context.display(lambda: context.ports.observer.look(recording, progress.judgements))
        decision = self._decide(progress.judgements[-1], served, elapsed)
        return only_if_seen(decision, unseen, over=elapsed >= timing.maximum)

    def _decide(self, judgement: Judgement, served: float, elapsed: float) -> Decision:
        return decide(self._context.timing, judgement, self._index, served, elapsed)

    def _allowed(self, decision: Decision) -> Decision:
        """Wait where an approval is required, and announce why the weight is not raised."""
        doubt = decision.reason if decision.move is Move.WAIT else ""
        if doubt and not self._cautious:
            last = self._index == len(self._context.timing.steps) - 1
            held = "no PASS yet" if last else "weight not raised"
            self._context.say("caution", f"{held}: {doubt}")
        self._cautious = bool(doubt)
        if decision.move is Move.ADVANCE and not gates.open_for(self._context, self._index + 1):
            return Decision(Move.WAIT)
        return decision
