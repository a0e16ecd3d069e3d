"""A canary as metrics in Prometheus' text format, for node_exporter's textfile collector."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from canary.model import Event, Judgement, Recording
from canary.reading import SMALL, read_text

ENDS = ("PASS", "FAIL", "INCONCLUSIVE", "could not run")
FINISHED = re.compile(r'^canary_finished_total\{.*verdict="([^"]*)"\} (\d+)$', re.MULTILINE)


class MetricsFile:
    """An observer that writes the file at each event and look.

    The number of finished canaries continues from the existing file. ``began`` is when the canary
    began, if an earlier process began it.
    """

    def __init__(
        self,
        path: Path,
        environment: str,
        complain: Callable[[str], None],
        began: int | None = None,
    ) -> None:
        self._path = path
        self._environment = environment
        self._complain = complain
        self._refused = False
        self._began = began
        self._values = {"running": 1.0, "weight_ratio": 0.0, "duration_seconds": 0.0}
        self._finished = _counted(path)

    def event(self, event: Event) -> None:
        self._began = event.time if self._began is None else self._began
        self._values["duration_seconds"] = event.time - self._began
        if event.kind == "end":
            end = event.sentence.partition(":")[0]
            self._finished[end] = self._finished.get(end, 0) + 1
            self._values |= {
                "running": 0.0,
                "weight_ratio": 0.0,
                "ended_timestamp_seconds": event.time,
            }
            self._values |= {f"verdict {name}": float(name == end) for name in ENDS}
        self._write()

    def look(self, recording: Recording, judgements: Sequence[Judgement]) -> None:
        last = judgements[-1]
        self._values["weight_ratio"] = recording.steps[-1].candidate
        if self._began is not None:
            self._values["duration_seconds"] = last.at - self._began
        if last.score is not None:
            self._values["score"] = last.score
        self._write()

    def _write(self) -> None:
        """Replace the file as a whole; a full disk must not end a canary."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._path.with_name(self._path.name + ".new")
            temporary.write_text(self._text(), encoding="utf-8")
            temporary.replace(self._path)
        except OSError as error:
            if not self._refused:
                self._complain(f"Metrics could not be written: {error}")
            self._refused = True

    def _text(self) -> str:
        where = f'environment="{self._environment}"'
        gauges = [_line(name, where, value) for name, value in self._values.items()]
        counts = [
            f'canary_finished_total{{{where},verdict="{end}"}} {self._finished.get(end, 0)}'
            for end in ENDS
        ]
        head = "# TYPE canary_finished_total counter"
        return "\n".join([*gauges, head, *counts]) + "\n"


def _line(name: str, where: str, value: float) -> str:
    metric, _, verdict = name.partition(" ")
    labels = f'{where},verdict="{verdict}"' if verdict else where
    return f"canary_{metric}{{{labels}}} {value:.10g}"


def _counted(path: Path) -> dict[str, int]:
    """Return how many canaries the file says have finished, by verdict."""
    try:
        text = read_text(path, SMALL)
    except (OSError, ValueError):
        return {}
    return {verdict: int(count) for verdict, count in FINISHED.findall(text)}
