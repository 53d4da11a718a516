"""Chunks of work on several threads, with one BLAS thread each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from threadpoolctl import threadpool_limits

from dtpinn.rbffd.progress import Advance

_BLAS = threading.Lock()  # two callers would restore each other's number of BLAS threads


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
        Meanwhile the BLAS libraries of the whole process are held to one thread: several threads
        inside the small systems of stencils are five times slower.
    advance : callable, optional
        Told how many rows are done, from the calling thread.

    Examples
    --------
    >>> parts = []
    >>> in_chunks(parts.append, 5, 2, threads=1, advance=None)
    >>> parts
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    parts = [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
    with _BLAS, threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        for part, _ in zip(parts, pool.map(work, parts), strict=True):
            if advance is not None:
                advance(part.stop - part.start)
