"""Several calls timed in turn, round by round, so that a ratio compares them at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.gpu_target import Timer
from bench.operands import Call

ROUND = 2e-3  # seconds that the calls of a round take together
MAX_CALLS = 50  # in a round: a stream holds about a thousand launches
MIN_ROUNDS, MAX_ROUNDS = 5, 40


@dataclass(frozen=True)
class Figures:
    """Median and quartiles of what was measured, seconds or ratios."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: np.ndarray) -> Figures:
        """Of all samples."""
        low, median, high = (float(q) for q in np.quantile(samples, [0.25, 0.5, 0.75]))
        return cls(median, low, high)


@dataclass(frozen=True)
class Timing:
    """Seconds of a call, queued and single (gpu_target.py), and ratios to the first call's."""

    queued: Figures
    single: Figures
    queued_ratio: Figures
    single_ratio: Figures
    rounds: int


def race(timer: Timer, calls: Mapping[str, Call], seconds: float = 0.5) -> dict[str, Timing]:
    """Time every call once a round, for about this long in all; ratios are taken within a round."""
    rough = {name: _rough(timer, call) for name, call in calls.items()}
    batch = {name: int(np.clip(ROUND / t, 1, MAX_CALLS)) for name, t in rough.items()}
    turn = sum(ROUND + (batch[name] + 1) * rough[name] for name in calls)
    rounds = int(np.clip(seconds / turn, MIN_ROUNDS, MAX_ROUNDS))
    times = np.empty((2, rounds, len(calls)))
    for number in range(rounds):
        for column, (name, call) in enumerate(calls.items()):
            queued = timer.queued(call, batch[name], ROUND)
            times[:, number, column] = queued, timer.single(call)
    ratios = times / times[..., :1]
    return {
        name: Timing(*(Figures.of(a[..., k]) for a in (*times, *ratios)), rounds)
        for k, name in enumerate(calls)
    }


def _rough(timer: Timer, call: Call) -> float:
    """The best of three calls, after one that warms up."""
    call()
    return max(min(timer.single(call) for _ in range(3)), 1e-9)
