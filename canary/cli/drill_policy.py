"""The policy of a drill, and the metrics that see what the proxy adds."""

from __future__ import annotations

from pathlib import Path

import click
import yaml
from rich.console import Console

from canary.errors import PolicyError
from canary.formatting import listed
from canary.policy import Policy, load_policy
from canary.policy.yaml_text import read_document
from canary.rollout.drill import seeing
from canary.traffic.base import Drill

ADDED = {
    "name": "proxy_errors",
    "kind": "count",
    "source": "proxy.errors",
    "margin": "x1.5",
    "negligible": "0.5%",
}
"""The metric of --judge-proxy-errors."""
UNSEEN = """\
No metric of the policy is known to see this drill, so nothing was started. {why}
If a metric is measured at the proxy or in front of it, by a load balancer, a prober or a browser, \
name it: --seen-by METRIC{remedy}"""
REMEDY = (
    "\nTo see refusal and rollback anyway, on errors that the proxy counts: --judge-proxy-errors"
)
ERRORS = """\
The app does not know of errors that the proxy adds. The proxy counts them; add to the policy:
  - {name: proxy_errors, kind: count, source: proxy.errors, margin: x1.5, negligible: 0.5%}"""
DELAYS = """\
The app does not know of a delay that the proxy adds. The proxy measures it; add to the policy:
  - {name: proxy_latency, kind: latency, source: proxy.latency, margin: 20%}"""


def policy_of_drill(path: Path, share: float | None, *, proxy_errors: bool) -> str:
    """Return the text of a policy with the steps up to ``share``, and without a lead-in."""
    policy = load_policy(path)  # it tells what is wrong with the file
    document = read_document(path)
    if share is not None:
        if share <= 0:
            raise click.UsageError("--share must be above 0%")
        steps = [step for step in policy.steps if step <= share] or [share]
        document["steps"] = steps
    document.pop("lead_in", None)
    if proxy_errors and all(metric.counter != "errors" for metric in policy.metrics):
        document["metrics"] = [*document["metrics"], ADDED]
    return yaml.safe_dump(document, sort_keys=False)


def metrics_that_see(policy: Policy, added: Drill, named: tuple[str, ...]) -> list[str]:
    """Return the metrics that see the drill; refuse if there is none."""
    judged = [metric.name for metric in policy.metrics if not metric.muted]
    if unknown := [name for name in named if name not in judged]:
        raise PolicyError(
            f"--seen-by names {listed(unknown)}; the judged metrics are: {', '.join(judged)}"
        )
    sees = [metric.name for metric in seeing(policy, added, named)]
    if not sees:
        why = "\n".join([ERRORS] * (added.errors > 0) + [DELAYS] * (added.delay > 0))
        raise PolicyError(UNSEEN.format(why=why, remedy=REMEDY if added.errors else ""))
    return sees


def announce(policy: Policy, sees: list[str], console: Console) -> None:
    others = [one for one in policy.metrics if not one.muted and one.name not in sees]
    lines = [f"Metrics that see the drill: {', '.join(sees)}."]
    if others:
        lines.append(f"Metrics that do not: {', '.join(one.name for one in others)}.")
    if any(one.counter is None for one in others):
        lines.append("If one of them is measured at the proxy or in front: --seen-by METRIC.")
    console.print(" ".join(lines), highlight=False, markup=False, soft_wrap=True)
