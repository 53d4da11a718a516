"""A bar for the user who waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

DELAY = 2.0
"""Seconds before the bar shows: what is over sooner needs none."""

Advance = Callable[[int], None]


@contextmanager
def stencil_bar(total: int, show: bool | None) -> Iterator[Advance]:
    """Show how many stencils are done, on stderr, after two seconds.

    Parameters
    ----------
    total : int
        How many there are.
    show : bool, optional
        None: where stderr is a terminal.

    Yields
    ------
    callable
        To be told how many more are done. Stencils that are solved again count once.

    Examples
    --------
    >>> with stencil_bar(100, show=None) as advance:
    ...     advance(60)
    """
    hide = None if show is None else not show
    bar = tqdm(total=total, unit="stencil", desc="RBF-FD", delay=DELAY, disable=hide, leave=False)

    def advance(count: int) -> None:
        bar.update(min(count, total - bar.n))

    with bar:
        yield advance
