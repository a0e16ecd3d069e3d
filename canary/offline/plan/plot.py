"""A plan as a picture: the smallest harm that would be found, against time."""

from __future__ import annotations

import io

from matplotlib import rc_context
from matplotlib.figure import Figure

from canary.offline.plan.outlook import Outlook

WORST = 2.0
"""Harm beyond this is off the picture."""


def draw(outlook: Outlook) -> str:
    """Return the picture as SVG: each metric's curve, dashed where its margin lies."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for metric in outlook.metrics:
        shown = [(seconds / 60, 100 * harm) for seconds, harm in metric.curve if harm <= WORST]
        if shown:
            (line,) = axes.plot(*zip(*shown, strict=True), label=metric.metric)
            axes.axhline(100 * metric.margin, color=line.get_color(), linestyle=":", linewidth=1)
    axes.set_xlabel("minutes since the first traffic")
    axes.set_ylabel("smallest harm found, % (dotted: margin)")
    axes.set_xlim(0, outlook.maximum / 60)
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small")
    text = io.StringIO()
    with rc_context({"svg.hashsalt": "canary"}):  # the same plan is the same file
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
