"""Timing in turn: the figures are those of the timer, in the order in which a fair race runs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bench.gpu_target import CudaTimer, HostTimer
from bench.race import MAX_CALLS, MIN_ROUNDS, Figures, race


class Scripted:
    """A timer that believes what a call says, and notes who was asked."""

    def __init__(self):
        self.queue = []

    def queued(self, call, calls, head_start):
        self.queue.append((call.name, calls))
        return call.queued

    def single(self, call):
        call()
        return call.single

    def cold(self, call):
        return 10 * call.single


class Call(SimpleNamespace):
    def __call__(self):
        pass


def test_figures_are_median_and_quartiles():
    assert Figures.of(np.array([5.0, 1.0, 2.0, 3.0, 4.0])) == Figures(3.0, 2.0, 4.0)


def test_ratios_are_those_of_neighbours_and_rounds_alternate():
    timer = Scripted()
    calls = {
        "ours": Call(name="ours", queued=1e-6, single=1e-5),
        "theirs": Call(name="theirs", queued=3e-6, single=2e-5),
    }
    timings = race(timer, calls, seconds=0.05)
    ours, theirs = timings["ours"], timings["theirs"]
    assert (ours.queued.median, ours.single.median) == (1e-6, 1e-5)
    assert ours.queued_ratio == ours.single_ratio == Figures(1.0, 1.0, 1.0)
    assert theirs.queued_ratio.median == pytest.approx(3.0)
    assert theirs.single_ratio.median == pytest.approx(2.0)
    assert (theirs.cold.median, theirs.cold_ratio.median) == pytest.approx((2e-4, 2.0))
    assert [name for name, _ in timer.queue] == ["ours", "theirs"] * ours.rounds
    assert {calls for _, calls in timer.queue} == {MAX_CALLS}


def test_a_call_that_raises_is_left_out_and_told():
    class Fails(Call):
        made = 0

        def __call__(self):
            self.made += 1
            if self.made > 6:  # in the second round
                raise MemoryError("no more")

    calls = {
        "fails": Fails(name="fails", queued=1e-6, single=1e-5),
        "holds": Call(name="holds", queued=1e-6, single=1e-5),
    }
    left_out = {}
    timings = race(Scripted(), calls, 0.05, left_out)
    assert list(timings) == ["holds"]
    assert timings["holds"].queued_ratio.median == 1.0
    assert left_out == {"fails": "MemoryError: no more"}
    with pytest.raises(MemoryError, match="no more"):
        race(Scripted(), calls, 0.05)


def test_a_slow_call_is_made_once_a_round_and_rounds_are_few():
    timer = Scripted()
    timing = race(timer, {"slow": Call(name="slow", queued=1.0, single=1.0)}, seconds=0.1)["slow"]
    assert timer.queue == [("slow", 1)] * MIN_ROUNDS
    assert timing.rounds == MIN_ROUNDS


def test_the_host_timer_divides_by_the_number_of_calls(monkeypatch):
    ticks = iter([10.0, 18.0, 20.0, 21.5])
    monkeypatch.setattr("bench.gpu_target.time.perf_counter", lambda: next(ticks))
    made = []
    assert HostTimer().queued(lambda: made.append(1), 4, head_start=0.0) == 2.0
    assert len(made) == 4
    assert HostTimer().single(lambda: made.append(1)) == 1.5


def test_the_cuda_timer_lets_the_host_run_ahead_and_measures_between_its_events(monkeypatch):
    log = []

    class Event:
        def __init__(self, enable_timing):
            assert enable_timing

        def record(self):
            log.append("record")

        def synchronize(self):
            log.append("wait")

        def elapsed_time(self, other):
            return 6.0  # milliseconds

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "_sleep", lambda cycles: log.append(f"spin {cycles:.0e}"))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: log.append("wait"))
    timer = CudaTimer()
    assert timer.queued(lambda: log.append("call"), 3, head_start=1e-3) == pytest.approx(2e-3)
    assert log == ["spin 3e+06", "record", "call", "call", "call", "record", "wait"]
    log.clear()
    assert timer.single(lambda: log.append("call")) >= 0
    assert log == ["wait", "call", "wait"]
    log.clear()
    flush = SimpleNamespace(zero_=lambda: log.append("flush"))
    monkeypatch.setattr("bench.gpu_target._flush", lambda device: flush)
    assert timer.cold(lambda: log.append("call")) == pytest.approx(6e-3)
    assert log == ["spin 3e+06", "flush", "record", "call", "record", "wait"]
