"""All notes are counted once, within a short time, and before the process ends."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

from app.metrics.histogram import BUCKETS, bucket
from app.metrics.recorder import Recorder
from app.metrics.slots import Counter, Slot, read
from tests.support.paths import ROOT
from tests.support.waiting import wait_for

CART = ("/cart", "POST", 200)
FAILED = ("/cart", "POST", 503)


def counted(directory: Path) -> dict[tuple[str, str, int], int]:
    return {key: histogram.count for key, histogram in read(directory).series.items()}


def test_threads_that_note_and_flush_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    recorder = Recorder(Slot(tmp_path))

    def work(key: tuple[str, str, int]) -> None:
        for number in range(2_000):
            recorder.record(key, 0.010)
            recorder.count(Counter.CACHE_HITS)
            if number % 100 == 0:
                recorder.flush()

    threads = [threading.Thread(target=work, args=(key,)) for key in (CART, FAILED) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.flush()
    assert counted(tmp_path) == {CART: 8_000, FAILED: 8_000}
    assert read(tmp_path).series[CART].microseconds == 8_000 * 10_000
    assert read(tmp_path).counters[Counter.CACHE_HITS] == 16_000
    assert read(tmp_path).counters[Counter.CACHE_MISSES] == 0


def test_answers_added_up_together_fall_where_each_would_alone(tmp_path: Path) -> None:
    seconds = [0.0, 1e-9, *(0.000_01 * 1.013**each for each in range(1_300)), 500.0, 0.01, 0.01]
    recorder = Recorder(Slot(tmp_path))
    alone = [0] * BUCKETS
    for each in reversed(seconds):
        recorder.record(CART, each)
        alone[bucket(each * 1000)] += 1
    recorder.flush()
    together = read(tmp_path).series[CART]
    assert together.buckets == alone
    assert together.microseconds == round(math.fsum(seconds) * 1_000_000)


def is_counted(path: Path, wanted: int) -> bool:
    return counted(path).get(CART) == wanted


def test_what_is_noted_is_counted_without_being_asked_for(tmp_path: Path) -> None:
    recorder = Recorder(Slot(tmp_path))
    for wanted in (1, 2):
        recorder.record(CART, 0.010)
        wait_for(partial(is_counted, tmp_path, wanted), "it is counted", 60, 0.01)


def test_a_process_counts_what_it_noted_before_it_ends(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from app.metrics import recorder; from app.metrics.slots import Slot\n"
        "recorder.PAUSE_SECONDS = 3600\n"
        "recorder.Recorder(Slot(Path(sys.argv[1]))).record(('/cart', 'POST', 200), 0.01)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=True)
    assert counted(tmp_path) == {CART: 1}
