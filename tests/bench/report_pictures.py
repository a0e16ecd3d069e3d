"""`python -m tests.bench.report_pictures`: five reports for docs/reports.md, as pages and pictures.

There is one report for each verdict, one for a sudden outage and one for a single bad host. The
canaries are simulated, with a seed and periods of 5 s like the local cloud's. The verdicts are
real: this project's judge looks at every period, and stops where `canary run` would.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from canary.judge import judge
from canary.kayenta.judge import judge_kayenta
from canary.model import Arm, Event, Judgement, Recording, Release, Series, Step, Verdict
from canary.policy import Policy, parse_policy
from canary.report import render_html
from tests.bench.live_page import watched
from tests.bench.verdict.readings import Floats, Ints
from tests.support.paths import ROOT

CHROMIUM = Path("/usr/bin/chromium")
START, PERIOD = 1_790_000_100, 5
ERRORS = 0.006
STEPS = ((0, 0.05), (60, 0.20), (120, 0.50))
POLICY = parse_policy(
    """
    version: 1
    period: 5s
    warmup: 10s
    minimum: 4m
    maximum: 5m
    steps: [5%, 20%, 50%]
    metrics:
    - {name: latency, kind: latency, margin: 10%, weight: 2}
    - {name: latency p99, kind: quantile, statistic: p99, source: latency, margin: 20%}
    - {name: errors, kind: count, margin: x2, negligible: 0.5%, weight: 2}
    - {name: requests, kind: throughput, margin: 10%, critical: false}
    - {name: cpu, kind: gauge, margin: 20%, critical: false, group: saturation}
    """
)


@dataclass(frozen=True, slots=True)
class Story:
    """A candidate's behaviour: ``sick`` is its bad host, ``outage`` the first bad period."""

    name: str
    release: str
    seed: int
    periods: int
    rate: float = 240.0
    latency: float = 1.0
    errors: float = 1.0
    hosts: int = 2
    sick: int | None = None
    outage: int | None = None


STORIES = (
    Story("pass", "v1.5.0", seed=41, periods=60),
    Story("fail", "v1.6.0-rc1", seed=42, periods=60, latency=1.35, errors=2.0),
    Story("inconclusive", "v1.5.1", seed=43, periods=60, rate=14.0, latency=1.06),
    Story("outage", "v1.6.0-rc2", seed=44, periods=60, outage=31),
    Story("bad-host", "v1.6.0-rc3", seed=45, periods=60, rate=720.0, hosts=4, sick=3),
)
SICK_ERRORS = 12.0
OUTAGE_ERRORS = 0.4
"""The factor of a sick host's errors, and the share of requests that fail in an outage."""


def recording(story: Story) -> Recording:
    """Return the whole canary, as if it never stopped."""
    generator = np.random.default_rng(story.seed)
    load = 1 + 0.15 * np.sin(np.arange(story.periods) / 9) + 0.05 * _slow(generator, story.periods)
    series = [
        one
        for side in Arm
        for index in range(1, story.hosts + 1)
        for one in _instance(generator, story, load, side, index)
    ]
    steps = tuple(
        Step(START + at, share, 1 - share, equal_footing=share == 0.5)
        for at, share in STEPS
        if at < PERIOD * story.periods
    )
    return Recording(
        environment="local",
        period=PERIOD,
        baseline=Release("v1.4.2", "b81e04aa5f213c", "blue", names(story, "blue")),
        candidate=Release(story.release, "3f2a9c1d77e05b", "green", names(story, "green")),
        steps=steps,
        series=tuple(series),
        events=tuple(
            Event(START + at, "weight", f"{share:.0%} of traffic goes to green.".replace("%", " %"))
            for at, share in STEPS
        ),
    )


def names(story: Story, colour: str) -> tuple[str, ...]:
    """Return the names of the hosts of one colour."""
    return tuple(f"local-app-{colour}-{index}" for index in range(1, story.hosts + 1))


def _slow(generator: np.random.Generator, periods: int) -> Floats:
    return np.convolve(generator.normal(size=periods + 4), np.ones(5) / 5, "valid")


def _instance(
    generator: np.random.Generator, story: Story, load: Floats, side: Arm, index: int
) -> list[Series]:
    harmed = side is Arm.CANDIDATE
    moments = np.arange(story.periods) * PERIOD
    shares = [share if harmed else 1 - share for _, share in STEPS]
    share = np.select([moments < at for at, _ in STEPS[1:]], shares[:-1], shares[-1])
    n = generator.poisson(story.rate * PERIOD * share * load / story.hosts)
    name = names(story, "green" if harmed else "blue")[index - 1]
    failing = _failing(story, index) if harmed else np.full(story.periods, ERRORS)
    times = tuple(int(START + moment) for moment in moments)
    samples = tuple(float(count) for count in n)
    return [
        Series(metric, side, name, times, _column(metric, values, n), samples)
        for metric, values in _values(
            generator, story, (load, share, failing), n, harmed=harmed
        ).items()
    ]


def _failing(story: Story, index: int) -> Floats:
    """Return the share of failed requests of one host of the candidate, by period."""
    worse = story.errors * (SICK_ERRORS if index == story.sick else 1.0)
    failing = np.full(story.periods, ERRORS * worse)
    if story.outage is not None:
        failing[story.outage :] = OUTAGE_ERRORS
    return failing


def _values(
    generator: np.random.Generator,
    story: Story,
    moving: tuple[Floats, Floats, Floats],
    n: Ints,
    *,
    harmed: bool,
) -> dict[str, Floats]:
    """Return the values of one host of the shop."""
    periods, (load, share, failing) = story.periods, moving
    slow = story.latency if harmed else 1.0
    host = np.exp(0.004 * generator.normal() + 0.02 * _slow(generator, periods))
    scale = 24 * slow * load**0.4 * host
    noise = 0.75 / np.sqrt(np.maximum(n, 1))
    cpu = (6 + 70 * share * load) * host * (1 + 0.3 * (slow - 1))
    return {
        "latency": scale * np.exp(noise * generator.normal(size=periods)),
        "latency p99": 5.2 * scale * np.exp(4 * noise * generator.normal(size=periods)),
        "errors": generator.binomial(n, failing).astype(float),
        "requests": n.astype(float),
        "cpu": cpu * np.exp(0.03 * generator.normal(size=periods)),
    }


def _column(metric: str, values: Floats, n: Ints) -> tuple[float | None, ...]:
    """Return one metric's values. Without requests, the only value is their number, 0."""
    return tuple(
        round(float(value), 4) if count or metric == "requests" else None
        for value, count in zip(values, n, strict=True)
    )


def judged(policy: Policy, whole: Recording) -> tuple[Recording, tuple[Judgement, ...]]:
    """Take a look after every period; stop at FAIL, or at PASS after the last step."""
    ends = range(START + 3 * PERIOD, START + PERIOD * len(whole.series[0].times) + 1, PERIOD)
    judgements: list[Judgement] = []
    for end in ends:
        judgements.append(judge(policy, whole, end))
        if judgements[-1].verdict is not Verdict.INCONCLUSIVE:
            break
    return seen(whole, judgements[-1].at, tuple(one.at for one in judgements)), tuple(judgements)


def seen(whole: Recording, until: int, looks: tuple[int, ...]) -> Recording:
    """Return the recording up to a time."""
    series = tuple(_until(one, until) for one in whole.series)
    steps = tuple(step for step in whole.steps if step.start < until)
    events = tuple(event for event in whole.events if event.time < until)
    return Recording(
        whole.environment,
        whole.period,
        whole.baseline,
        whole.candidate,
        steps,
        series,
        looks,
        events=events,
    )


def _until(series: Series, until: int) -> Series:
    count = sum(time + PERIOD <= until for time in series.times)
    columns = (series.times[:count], series.values[:count], series.samples[:count])
    return Series(series.metric, series.arm, series.instance, *columns)


def report(story: Story) -> tuple[Verdict, str]:
    """Return a story's verdict and its page, with Kayenta's opinion."""
    kept, judgements = judged(POLICY, recording(story))
    second = judge_kayenta(POLICY, kept)
    return judgements[-1].verdict, render_html(POLICY, kept, judgements, second)


def photograph(html: str, width: int, height: int, path: Path) -> None:
    """Save the top of a page as a small PNG."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(
            viewport={"width": width, "height": height}, java_script_enabled=False
        )
        page.set_content(html)
        image = Image.open(io.BytesIO(page.screenshot()))
        browser.close()
    image.convert("P", palette=Image.Palette.ADAPTIVE, colors=128).save(path, optimize=True)


@click.command(help=__doc__)
@click.option("--out", default=ROOT / "docs" / "images", type=click.Path(path_type=Path))
@click.option("--html", default=ROOT / "docs" / "reports", type=click.Path(path_type=Path))
def main(*, out: Path, html: Path) -> None:
    """Write a page and a picture of each story, and two pictures as on a phone."""
    html.mkdir(parents=True, exist_ok=True)
    for story in STORIES:
        verdict, page = report(story)
        click.echo(f"{story.name}: {verdict}, {len(page) // 1024} kB")
        (html / f"{story.name}.html").write_text(page, encoding="utf-8")
        photograph(page, 1180, 1500, out / f"report-{story.name}.png")
        if story.name == "fail":
            photograph(page, 360, 1400, out / "report-phone.png")
    photograph(watched(), 360, 1400, out / "watch-phone.png")


if __name__ == "__main__":
    main()
