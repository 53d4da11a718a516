"""Several calls timed in turn, round by round, so that a ratio compares them at one moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    """Seconds of a call, queued, single and cold (gpu_target.py); ratios to the first call's."""

    queued: Figures
    single: Figures
    cold: Figures
    queued_ratio: Figures
    single_ratio: Figures
    cold_ratio: Figures
    rounds: int


def race(
    timer: Timer,
    calls: Mapping[str, Call],
    seconds: float = 0.5,
    left_out: dict[str, str] | None = None,
) -> dict[str, Timing]:
    """Time every call once a round, for about this long in all; ratios are taken within a round.

    Where `left_out` is given, a call that raises, at whatever time, is dropped and its reason left
    there: the others are timed all the same. Otherwise it ends the race.
    """
    while True:
        try:
            return _race(timer, calls, seconds)
        except CallFailed as failed:
            if left_out is None:
                raise failed.reason from None
            left_out[failed.name] = told(failed.reason)
            calls = {name: call for name, call in calls.items() if name != failed.name}


class CallFailed(Exception):
    """Which call raised, and what."""

    def __init__(self, name: str, reason: Exception) -> None:
        super().__init__(name)
        self.name, self.reason = name, reason


def told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _race(timer: Timer, calls: Mapping[str, Call], seconds: float) -> dict[str, Timing]:
    def measured(name: str, measure: Callable[[Call], float]) -> float:
        try:
            return measure(calls[name])
        except Exception as error:
            raise CallFailed(name, error) from error

    if not calls:
        return {}
    rough = {name: measured(name, lambda call: _rough(timer, call)) for name in calls}
    batch = {name: int(np.clip(ROUND / t, 1, MAX_CALLS)) for name, t in rough.items()}
    turn = sum(2 * ROUND + (batch[name] + 2) * rough[name] for name in calls)
    rounds = int(np.clip(seconds / turn, MIN_ROUNDS, MAX_ROUNDS))
    times = np.empty((3, rounds, len(calls)))
    for number in range(rounds):
        for column, (name, count) in enumerate(batch.items()):
            times[:, number, column] = (
                measured(name, lambda call, count=count: timer.queued(call, count, ROUND)),
                measured(name, timer.single),
                measured(name, timer.cold),
            )
    ratios = times / times[..., :1]
    return {
        name: Timing(*(Figures.of(a[..., k]) for a in (*times, *ratios)), rounds)
        for k, name in enumerate(calls)
    }


def _rough(timer: Timer, call: Call) -> float:
    """The best of three calls, after one that warms up."""
    call()
    return max(min(timer.single(call) for _ in range(3)), 1e-9)
