"""What a person sees of a canary, whatever a sentence holds."""

from __future__ import annotations

import io
import time

from rich.console import Console

from canary.cli.progress import Display
from canary.model import Event
from tests.unit.canary.rollout_fakes import POLICY


def test_a_sentence_of_megabytes_is_shown_in_no_time() -> None:
    output = io.StringIO()
    long = "key=1.2.3.4/path [a] 'b' " * 40_000
    began = time.process_time()
    Display(POLICY, Console(file=output)).event(Event(0, "warning", long))
    assert time.process_time() - began < 2
    assert long in output.getvalue()
