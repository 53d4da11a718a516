"""Chunks of stencils on several threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from dtpinn.rbffd.progress import Advance

CHUNK = 128
"""How many stencils a thread takes at a time: memory is bounded, and a call is worth its price."""


def available_threads() -> int:
    """Return the number of processors that this process may use.

    Returns
    -------
    int

    Examples
    --------
    >>> available_threads() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):  # Linux: respects taskset, batch systems and containers
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_chunks(
    work: Callable[[slice], None], rows: int, size: int, threads: int, advance: Advance | None
) -> None:
    """Call `work` for consecutive slices of the rows; raise its first exception, in their order.

    Parameters
    ----------
    work : callable
        Takes a slice; called from several threads at once.
    rows, size : int
        Slices cover 0..rows and have `size` rows each, whatever the number of threads.
    threads : int
        How many slices are worked on at once.
    advance : callable, optional
        Told how many rows are done, from the calling thread.

    Examples
    --------
    >>> parts = []
    >>> in_chunks(parts.append, 5, 2, threads=1, advance=print)
    2
    2
    1
    >>> parts
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    parts = [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
    with ExitStack() as stack:
        side_by_side: Callable[..., Iterable[None]] = map  # a thread takes as long as a small part
        if (workers := min(threads, len(parts))) > 1:
            side_by_side = stack.enter_context(ThreadPoolExecutor(workers)).map
        for part, _ in zip(parts, side_by_side(work, parts), strict=True):
            if advance is not None:
                advance(part.stop - part.start)
