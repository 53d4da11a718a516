"""Two calls timed in turn, and the table of ratios.

On a shared machine speed drifts over seconds: timing one program for a second and then the other
compares two moments as much as two programs. Here every round of the rival is followed by a round
of ours, and the ratio is the median of the ratios of such neighbours.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from dtpinn.output.tables import format_table

from operands import Call

ROUND = 3e-3  # seconds; shorter rounds would measure timer and scheduler
BUDGET = 0.8  # seconds for one comparison, more only where MIN_ROUNDS take more
MIN_ROUNDS, MAX_ROUNDS = 5, 60
SLOW = 0.05  # seconds; a call as long as this is not warmed up


@dataclass(frozen=True)
class Case:
    """One operation on one matrix; `count` is the number of nodes asked for."""

    operation: str
    count: int
    n: int
    columns: int


@dataclass(frozen=True)
class Comparison:
    """Seconds per call, medians over rounds; `ratio` is theirs / ours, with its quartiles."""

    ours: float
    theirs: float
    ratio: float
    quartiles: tuple[float, float]
    difference: float


@dataclass(frozen=True)
class Entry:
    """A comparison, and where in the tables it belongs; `setting` as in `rivals.Rival`."""

    case: Case
    rows: int
    rival: str
    setting: str
    comparison: Comparison


@contextmanager
def threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def batch_time(call: Call, calls: int) -> float:
    """Seconds per call."""
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls


def _rough_time(call: Call) -> float:
    call()
    once = batch_time(call, 1)
    return once if once > SLOW else min(once, batch_time(call, 5), batch_time(call, 5))


def compare(benchmark, ours: Call, theirs: Call) -> Comparison | None:
    """Time the rival with pytest-benchmark and ours between its rounds.

    Before a round its call is made once untimed, to find its own data in the caches rather than
    the other's. None where pytest-benchmark has been told to measure nothing.
    """
    quick, slow = _rough_time(ours), _rough_time(theirs)
    calls = max(1, round(ROUND / slow))
    # Ours has few rounds beside a slow rival; they are longer then.
    our_calls = max(1, round(np.clip(slow, ROUND, SLOW) / quick))
    turn = (calls + (slow < SLOW)) * slow + (our_calls + 1) * quick
    seconds: list[float] = []

    def our_turn() -> None:
        ours()
        seconds.append(batch_time(ours, our_calls))
        if slow < SLOW:
            theirs()

    rounds = int(np.clip(BUDGET / turn, MIN_ROUNDS, MAX_ROUNDS))
    benchmark.pedantic(theirs, teardown=our_turn, rounds=rounds, iterations=calls)
    if benchmark.stats is None:
        return None
    return _summary(np.array(seconds[:rounds]), np.array(benchmark.stats.stats.data))


def _summary(ours: np.ndarray, theirs: np.ndarray) -> Comparison:
    low, ratio, high = (float(q) for q in np.quantile(theirs / ours, [0.25, 0.5, 0.75]))
    difference = float(np.median(ours - theirs))
    medians = float(np.median(ours)), float(np.median(theirs))
    return Comparison(*medians, ratio, (low, high), difference)


def ratio_tables(entries: Iterable[Entry]) -> Iterator[str]:
    """One for each operation and number of columns: a matrix a row, a rival a column."""
    groups: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.case.operation, entry.case.columns), []).append(entry)
    for (operation, columns), group in groups.items():
        title = f"{operation}, {columns} column{'s' * (columns > 1)}"
        yield f"{title}\n\n{_table(group)}"


def _table(group: list[Entry]) -> str:
    """As Markdown, so that it can be pasted."""
    rivals = list(dict.fromkeys(entry.rival for entry in group))
    settings = list(dict.fromkeys(entry.setting for entry in group))
    rows: dict[tuple[int, int], list[Entry]] = {}
    for entry in group:
        rows.setdefault((entry.rows, entry.case.n), []).append(entry)
    lines = []
    for (count, n), row in sorted(rows.items()):
        times = [_microseconds(e.comparison.ours for e in row if e.setting == s) for s in settings]
        ratios = {entry.rival: _short(entry.comparison.ratio) for entry in row}
        lines.append([f"{count:,}", n, *times, *(ratios.get(rival) for rival in rivals)])
    own = [f"ours, {setting}, us" if setting else "ours, us" for setting in settings]
    return format_table(lines, ["N", "n", *own, *rivals], indent="| ", gap=" | ")


def _microseconds(seconds: Iterable[float]) -> str | None:
    """Ours was timed beside every rival of the setting: their median."""
    times = list(seconds)
    return f"{1e6 * statistics.median(times):.0f}" if times else None


def _short(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"
