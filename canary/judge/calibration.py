"""Learn one metric's noise from A/A windows, and how wide its statistics really are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from canary.judge.comparison import Arms, comparison_of, usual_level
from canary.judge.counts import Counts
from canary.judge.level import Level
from canary.judge.priors import (
    ARM_CLIP,
    FIRM_CLIP,
    cold_kappa,
    cold_noise,
    held,
    least_kappa,
    wary,
)
from canary.judge.ratio import Ratio
from canary.judge.rule import Rule, rule_of
from canary.judge.shrinkage import (
    FEWEST,
    HOST_WORTH,
    RANKS,
    Worth,
    harm_kappa,
    shrunk_kappa,
    shrunk_noise,
    shrunk_size,
    sticky,
)
from canary.learned import PLAIN_CLIP, Kappa, Learned, MeasuredNoise
from canary.policy import Policy
from canary.stats.distributions import Floats
from canary.stats.effects import least_variance
from canary.stats.learn import (
    body_width,
    growing_widths,
    kappa_of,
    learn_noise,
    most_precise,
    tail_width,
)
from canary.stats.paired import Noise, clip_arms
from canary.stats.ranks import rank_z
from canary.stats.trend import slope

AnyComparison = Counts | Level | Ratio

PASSING = {"expanding": "pass", "slope": "pass_slope"}
"""Channels that rule out a margin. Their far tails are not needed, because beta is one in
twenty."""
SHORT = (4, 5, 6, 8, 12, 16)
"""Lengths of the pieces into which windows are cut, so that even few windows show far tails."""


def learn(policy: Policy, name: str, arms: Arms, worth: Worth | None = None) -> Learned | None:
    """Return the noise of metric ``name``, learned from A/A windows, for a calibration.

    Each row of ``arms`` is one window in which both arms ran the same release. ``worth`` is the
    number of independent windows, by default all. Return None if the metric has too few values, or
    if most of its differences are zero.
    """
    metric = next(metric for metric in policy.metrics if metric.name == name)
    worth = worth or Worth(len(arms.candidate), len(arms.candidate))
    points = usual_level(arms.baseline) if metric.limit.scale == "points" else 1.0
    cold = cold_noise(metric, policy.period, points)
    model = comparison_of(metric, arms, rule_of(policy, metric, 1.0, None, points))
    choices = _choices(model, held(cold, worth.trust))
    plain = choices[0][0]
    if np.isfinite(plain).sum() < FEWEST or sticky(plain):
        return None
    rule = _taught(model, choices, cold, worth)
    rough = wary(metric, rule.rough, cold)
    widths = _kappa(replace(model, rule=replace(rule, rough=rough)))
    kappa = shrunk_kappa(widths, cold_kappa(metric), least_kappa(metric), worth.trust)
    if isinstance(model, Counts):
        plainly = replace(model.rule, gate=0.0, negligible=0.0)
        kappa |= harm_kappa(_kappa(replace(model, rule=plainly)), cold_kappa(metric), worth.trust)
    return Learned(
        windows=round(worth.windows),
        noise=_measured(rule.noise),
        rough=_measured(rule.rough),
        kappa=kappa,
        rank_lean=rule.rank_lean,
        dense=rule.dense,
        drift_host=rule.drift.host if isinstance(model, Level) else None,
    )


def _taught(
    model: AnyComparison,
    choices: list[tuple[Floats, Floats, Noise]],
    cold: Noise,
    worth: Worth,
) -> Rule:
    """Return the rule with the noise of the windows, shrunk to the defaults by their worth."""
    seen = float(np.isfinite(choices[0][0]).sum()) * worth.windows / max(len(choices[0][0]), 1)
    # even if the windows had no bursts, counts keep the protection against them
    preferred = choices[::-1] if isinstance(model, Counts) else choices
    noise = shrunk_noise(most_precise(preferred), cold, seen, worth.hosts)
    rough = shrunk_noise(learn_noise(*choices[0], rough=True), cold, seen, worth.hosts)
    slopes = _drift_host(model, noise)
    usual = model.rule.drift.host
    drift = replace(noise, host=shrunk_size(slopes, usual, worth.hosts, HOST_WORTH))
    rule = replace(model.rule, noise=noise, rough=rough, drift=drift, gate=0.0, negligible=0.0)
    if isinstance(model, Counts):
        dense = float(np.isfinite(model.blocks.d).mean())
        rule = replace(rule, dense=dense, rank_lean=worth.trust * _rank_lean(model))
    return rule


def _measured(noise: Noise) -> MeasuredNoise:
    arm_clip = noise.arm_clip if math.isfinite(noise.arm_clip) else None
    return MeasuredNoise(noise.tau, noise.phi, noise.host, noise.clip, arm_clip)


def _kappa(model: AnyComparison) -> dict[str, Kappa]:
    """Return kappa of every channel at a few lengths, from both directions of harm."""
    periods = model.periods
    found: dict[str, dict[int, float]] = {}
    lengths = sorted({k for k in SHORT if k <= periods} | {max(periods // 2, 1), periods})
    ranked: dict[int, Floats] = {}
    for k in lengths:
        tails, bodies = _channel_z(model, k)
        if RANKS in tails:
            ranked[k] = bodies[RANKS]
        for channel, z in tails.items():
            if channel == RANKS:
                continue
            body = body_width(bodies[channel]) if k >= periods // 4 else 1.0
            found.setdefault(channel, {})[k] = kappa_of(body, tail_width(z))
            if channel in PASSING:
                found.setdefault(PASSING[channel], {})[k] = kappa_of(body)
    found[RANKS] = growing_widths(ranked)
    return {channel: tuple(sorted(nodes.items())) for channel, nodes in found.items() if nodes}


def _channel_z(model: AnyComparison, k: int) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return each channel's z over all pieces of length ``k``: with its gate, and without it."""
    # a window of counts scatters so widely that its gate excludes almost nothing
    ungated = ("window",) if isinstance(model, Counts) else ()
    gated: dict[str, list[Floats]] = {}
    free: dict[str, list[Floats]] = {}
    piece = model.cut(range(0, model.periods - k + 1, max(k // 2, 1)), k)
    for sign in (1.0, -1.0):
        turned = replace(piece, rule=replace(model.rule, sign=sign))
        for channel in turned.channels(k):
            shut = ~channel.gate & (channel.name not in ungated)
            gated.setdefault(channel.name, []).append(np.where(shut, 0.0, channel.z))
            free.setdefault(channel.name, []).append(channel.z)
    return (
        {name: np.concatenate(parts) for name, parts in gated.items()},
        {name: np.concatenate(parts) for name, parts in free.items()},
    )


def _rank_lean(model: Counts) -> float:
    """Return the bias of ranks towards the candidate, per square root of a period."""
    good = np.isfinite(model.candidate)
    z = rank_z(
        np.where(good, model.candidate / model.candidate_chances, 0.0),
        np.where(good, model.baseline / model.baseline_chances, 0.0),
        good,
    )
    return float(z.mean()) / math.sqrt(model.periods)


def _drift_host(model: AnyComparison, noise: Noise) -> float:
    """Return how much the slopes of two equal arms differ beyond their errors."""
    if not isinstance(model, Level):
        return 0.0
    whole = slope(model.d, replace(noise, host=0.0))
    beyond = float((whole.mean**2).mean() - (whole.error**2).mean())
    return float(np.sqrt(max(beyond, 0.0)))


def _choices(model: AnyComparison, start: Noise) -> list[tuple[Floats, Floats, Noise]]:
    """Return the windows with each choice of clips, the simplest first."""
    clips = [(PLAIN_CLIP, math.inf), (FIRM_CLIP, math.inf), (PLAIN_CLIP, ARM_CLIP)]
    if isinstance(model, Level):
        return [(model.d, least_variance(model.d), replace(start, clip=PLAIN_CLIP))]
    source = model.blocks if isinstance(model, Counts) else model
    choices = []
    for clip, arm_clip in clips:
        d = clip_arms(source.d, source.candidate, source.baseline, source.v, arm_clip)
        choices.append((d, source.v, replace(start, clip=clip, arm_clip=arm_clip)))
    return choices
