"""Three example canaries for reports, with seeded random evidence."""

from __future__ import annotations

import math

import numpy as np

from canary.model import (
    Arm,
    Event,
    Finding,
    Judgement,
    Recording,
    Release,
    Series,
    Step,
    Verdict,
)
from canary.policy import Policy
from tests.support.policies import SHORT

START, PERIOD, PERIODS = 1_790_000_000 // 5 * 5, 5, 24
MARGINS = {"latency": 0.05, "latency_p99": 0.10, "errors": 0.5, "cpu": 0.10, "memory": 0.10}
POLICY = Policy.model_validate(
    {
        **SHORT,
        "steps": ["5%", "20%", "50%"],
        "metrics": [
            {"name": "latency", "kind": "latency"},
            {"name": "latency_p99", "kind": "quantile", "statistic": "p99", "source": "latency"},
            {"name": "errors", "kind": "count"},
            {"name": "cpu", "kind": "gauge", "critical": False, "group": "saturation"},
            {"name": "memory", "kind": "level", "muted": True},
        ],
    }
)
SENTENCES = {
    Verdict.FAIL: "{name} is {effect:.0%} worse (95 % interval {low:.0%} to {high:.0%}): FAIL.",
    Verdict.PASS: "{name} differs by {effect:.0%}; more than {margin:.0%} of harm is ruled out.",
    Verdict.INCONCLUSIVE: "{name}: {effect:.0%} ({low:.0%} to {high:.0%}) is not decided yet.",
}


def recording(
    worse: float = 0.0, periods: int = PERIODS, instances: int = 2, seed: int = 7
) -> Recording:
    """Two arms under one load; ``worse`` is the additional latency and errors of the candidate."""
    generator = np.random.default_rng(seed)
    load = 1 + 0.1 * np.sin(np.arange(PERIODS) / 4) + 0.03 * generator.standard_normal(PERIODS)
    series = [
        _first(
            periods,
            _series(generator, load, name, side, index, worse if side is Arm.CANDIDATE else 0.0),
        )
        for name in MARGINS
        for side in Arm
        for index in range(instances)
    ]
    steps = (0.05, 0.2, 0.5)
    return Recording(
        environment="local",
        period=PERIOD,
        baseline=_release("v1.4.2", "blue", instances),
        candidate=_release("v1.5.0", "green", instances),
        steps=tuple(
            Step(START + 40 * index, share, 1 - share, equal_footing=share == 0.5)
            for index, share in enumerate(steps)
            if index * 8 < periods
        ),
        series=tuple(series),
        looks=tuple(START + PERIOD * (index + 1) for index in range(periods)),
        events=(
            Event(START, "weight", "5 % of traffic goes to green."),
            Event(START + 40, "weight", "20 % of traffic goes to green."),
        ),
    )


def judgements(worse: float, verdict: Verdict, looks: int = PERIODS) -> tuple[Judgement, ...]:
    """One judgement per look; the last one has ``verdict``."""
    return tuple(
        _judgement(worse, Verdict.INCONCLUSIVE if look < looks else verdict, look)
        for look in range(1, looks + 1)
    )


def _first(periods: int, series: Series) -> Series:
    columns = (getattr(series, name)[:periods] for name in ("times", "values", "samples"))
    return Series(series.metric, series.arm, series.instance, *columns)


def _release(name: str, colour: str, instances: int) -> Release:
    names = tuple(f"{colour}-{index + 1}" for index in range(instances))
    return Release(name, "3f2a9c1d77e0" if colour == "green" else "b81e04aa5f21", colour, names)


def _series(
    generator: np.random.Generator, load: np.ndarray, name: str, side: Arm, index: int, worse: float
) -> Series:
    noise = np.exp(0.04 * generator.standard_normal(PERIODS))
    base = {"latency": 38.0, "latency_p99": 160.0, "cpu": 31.0, "memory": 212.0}.get(name, 1.0)
    samples = np.round(120 * load * noise)
    if name == "errors":
        values = generator.poisson(0.02 * (1 + 4 * worse) * samples).astype(float)
    else:
        harmed = worse if name.startswith("latency") else 0.0
        values = base * load**0.5 * noise * (1 + harmed)
    missing = 7 if name == "cpu" and side is Arm.BASELINE else -1
    colour = "green" if side is Arm.CANDIDATE else "blue"
    times = tuple(START + PERIOD * period for period in range(PERIODS))
    return Series(
        name,
        side,
        f"{colour}-{index + 1}",
        times,
        tuple(None if t == missing else round(float(v), 6) for t, v in enumerate(values)),
        tuple(float(sample) for sample in samples),
    )


def _judgement(worse: float, verdict: Verdict, look: int) -> Judgement:
    findings = tuple(_finding(name, worse, verdict, look) for name in MARGINS)
    worst = max(findings, key=lambda finding: finding.towards_fail)
    reason = worst.sentence if verdict is Verdict.FAIL else f"After {look} looks: {verdict}."
    advice = "9 more minutes at 50 %." if verdict is Verdict.INCONCLUSIVE else ""
    return Judgement(START + PERIOD * look, verdict, reason, findings, ("Two gaps.",), advice, 61.0)


def _finding(name: str, worse: float, verdict: Verdict, look: int) -> Finding:
    harmed = worse if name in ("latency", "latency_p99", "errors") else 0.0
    effect = harmed * (4.0 if name == "errors" else 1.0) + 0.012 * math.sin(look + len(name))
    half = 0.5 * MARGINS[name] * (10 / look) ** 0.5 if look > 1 else None
    bad = verdict is Verdict.FAIL and harmed > 0
    own = verdict if bad or verdict is not Verdict.FAIL else Verdict.INCONCLUSIVE
    known = half is not None
    low, high = (effect - half, effect + half) if half is not None else (None, None)
    words = SENTENCES[own].format(
        name=name, effect=effect, low=low or 0, high=high or 0, margin=MARGINS[name]
    )
    return Finding(
        metric=name,
        verdict=own if known else Verdict.INCONCLUSIVE,
        sentence=words,
        critical=name != "cpu",
        muted=name == "memory",
        group="saturation" if name == "cpu" else "",
        effect=effect if known else None,
        low=low,
        high=high,
        margin=MARGINS[name],
        towards_fail=1.0 if bad else min(0.9, max(0.0, harmed) * look / 4),
        towards_pass=1.0 if own is Verdict.PASS else min(0.8, look / 40),
        periods=look,
        score=50.0,
        details={"phi": 0.31, "kappa": 1.07, "tau": 0.028},
    )
