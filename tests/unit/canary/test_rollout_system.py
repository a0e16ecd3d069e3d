"""The real thread and signals, as far as a test in one process allows."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from canary.errors import Interruption
from canary.rollout.system import Signals, SystemClock, Thread


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_interrupts_and_the_second_does_not(number: signal.Signals) -> None:
    signals = Signals()
    before = signal.getsignal(number)
    with signals.handled():
        with pytest.raises(Interruption, match=number.name):
            os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) == before


def test_behind_the_shield_no_signal_interrupts() -> None:
    signals = Signals()
    with signals.handled():
        signals.shield()
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_behind_the_shield_is_heeded_when_it_falls_and_only_once() -> None:
    signals = Signals()
    with signals.handled():
        signals.shield()
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interruption, match="SIGTERM"):
            signals.unshield()
        signals.unshield()


def test_the_thread_ticks_until_it_is_stopped() -> None:
    ticked = threading.Event()
    thread = Thread()
    thread.start(ticked.set, 0.001)
    assert ticked.wait(5)
    thread.stop()
    ticked.clear()
    time.sleep(0.01)
    assert not ticked.is_set()


def test_a_thread_that_never_started_can_be_stopped() -> None:
    Thread().stop()


def test_sleeping_no_time_or_less_is_no_error() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(-1)
    assert clock.now() - before < 1
