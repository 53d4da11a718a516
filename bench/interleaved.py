"""Two calls timed in turn, on a machine that others use too.

Speed drifts over seconds: timing one program for a second and then the other compares two moments
as much as two programs. Here every round of the rival is followed by a round of ours, and the
ratio is the median of the ratios of such neighbours.

A round in which another process took a core away says nothing about either program: two threads
that wait for each other then last a slice of the scheduler (8 ms and more) whatever they do. The
kernel counts these interruptions: a round begins after a call without any, and the pairs of rounds
without any are taken, where there are enough.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from bench.operands import Call

ROUND = 4e-4  # seconds; shorter rounds would measure the timer, longer ones are interrupted more
BUDGET = 0.8  # seconds for one comparison, more only where MIN_ROUNDS take more
MIN_ROUNDS, MAX_ROUNDS = 5, 200
ENOUGH = 3  # quiet pairs of rounds
SLOW = 0.05  # seconds; a call as long as this is not warmed up
PATIENCE = 0.05  # seconds to wait for a quiet moment


@dataclass(frozen=True)
class Comparison:
    """Seconds per call, medians over rounds; `ratio` is theirs / ours, with its quartiles.

    `quiet` tells whether enough rounds ran without an interruption, so that only they count.
    """

    ours: float
    theirs: float
    ratio: float
    quartiles: tuple[float, float]
    difference: float
    quiet: bool


@contextmanager
def threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def compare(benchmark, ours: Call, theirs: Call) -> Comparison | None:
    """Time the rival with pytest-benchmark and ours between its rounds.

    Before a round its call is made untimed, to find its own data in the caches rather than the
    other's. None where pytest-benchmark has been told to measure nothing.
    """
    quick, slow = _rough_time(ours), _rough_time(theirs)
    calls = max(1, round(ROUND / slow))
    # Ours has few rounds beside a slow rival; they are longer then.
    our_calls = max(1, round(np.clip(slow / 4, ROUND, SLOW) / quick))
    turn = (calls + (slow < SLOW)) * slow + (our_calls + 1) * quick
    rounds = int(np.clip(BUDGET / turn, MIN_ROUNDS, MAX_ROUNDS))
    seconds: list[float] = []
    quiet: list[bool] = []
    rival_interrupted = _Interruptions()

    def our_turn() -> None:
        undisturbed = rival_interrupted.none()
        _settle(ours)
        interrupted = _Interruptions()
        seconds.append(_batch_time(ours, our_calls))
        quiet.append(undisturbed and interrupted.none())
        if slow < SLOW:
            _settle(theirs)
        rival_interrupted.restart()

    benchmark.pedantic(theirs, teardown=our_turn, rounds=rounds, iterations=calls)
    if benchmark.stats is None:
        return None
    pairs = np.array([seconds[:rounds], benchmark.stats.stats.data])
    return _summary(pairs, np.array(quiet[:rounds]))


def _summary(pairs: np.ndarray, quiet: np.ndarray) -> Comparison:
    enough = int(quiet.sum()) >= ENOUGH
    ours, theirs = pairs[:, quiet] if enough else pairs
    low, ratio, high = (float(q) for q in np.quantile(theirs / ours, [0.25, 0.5, 0.75]))
    difference = float(np.median(ours - theirs))
    medians = float(np.median(ours)), float(np.median(theirs))
    return Comparison(*medians, ratio, (low, high), difference, enough)


class _Interruptions:
    """Whether others took a core from any thread of this process since the last `restart`."""

    PER_SECOND = 10  # the kernel's own housekeeping, which nobody escapes

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.count, self.start = self._count(), time.perf_counter()

    def none(self) -> bool:
        seconds = time.perf_counter() - self.start
        return self._count() - self.count <= self.PER_SECOND * seconds

    @staticmethod
    def _count() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def _settle(call: Call) -> None:
    """Call until a call is not interrupted: the start of a slice of the scheduler, likely."""
    deadline = time.perf_counter() + PATIENCE
    while True:
        interruptions = _Interruptions()
        call()
        if interruptions.none() or time.perf_counter() > deadline:
            return


def _batch_time(call: Call, calls: int) -> float:
    """Seconds per call."""
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls


def _rough_time(call: Call) -> float:
    """The best of a few calls; the best, for one interruption would outweigh all of them."""
    call()
    best, start = _batch_time(call, 1), time.perf_counter()
    while best < SLOW and time.perf_counter() - start < min(4 * SLOW, 20 * best):
        best = min(best, _batch_time(call, 1))
    return best
