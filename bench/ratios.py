"""The tables of ratios: time of a rival / time of ours, a matrix a row, a rival a column."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.interleaved import Comparison
from dtpinn.output.tables import format_table


@dataclass(frozen=True)
class Case:
    """One operation on one matrix; `count` is the number of nodes asked for."""

    operation: str
    count: int
    n: int
    columns: int


@dataclass(frozen=True)
class Entry:
    """A comparison, and where in the tables it belongs; `setting` as in `rivals.Rival`."""

    case: Case
    rows: int
    rival: str
    setting: str
    comparison: Comparison


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
        times = [_microseconds(e.comparison for e in row if e.setting == s) for s in settings]
        ratios = {entry.rival: _short(entry.comparison) for entry in row}
        lines.append([f"{count:,}", n, *times, *(ratios.get(rival) for rival in rivals)])
    own = [f"ours, {setting}, us" if setting else "ours, us" for setting in settings]
    return format_table(lines, ["N", "n", *own, *rivals], indent="| ", gap=" | ")


def _microseconds(comparisons: Iterable[Comparison]) -> str | None:
    """Ours was timed beside every rival of the setting: the median, of the quiet ones if any."""
    known = list(comparisons)
    times = [c.ours for c in known if c.quiet] or [c.ours for c in known]
    return f"{1e6 * statistics.median(times):.0f}" if times else None


def _short(comparison: Comparison) -> str:
    """With a question mark where the machine was too busy to tell."""
    doubt = "" if comparison.quiet else "?"
    return f"{comparison.ratio:.{2 if comparison.ratio < 10 else 0}f}{doubt}"
