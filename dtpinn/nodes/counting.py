"""Finding the spacing that gives a wanted number of nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Layout = TypeVar("Layout")

# The number of nodes is met to within this share, or to within two nodes where that is more: below
# 100, equal edges that gain a node together step over some counts.
TOLERANCE = 0.02
TOLERANCE_NODES = 2
TRIES = 60
# Two cheap runs, at this many nodes and at four times as many, tell the density.
COARSE = 1250
GOLDEN = 0.6180339887498949


def solve_spacing(
    count: int,
    layout_at: Callable[[float], Layout],
    size_of: Callable[[Layout], int],
    dimension: int,
    volume: float,
) -> tuple[float, Layout]:
    """Return the spacing, and the layout at it, that has ``count`` nodes to within 2%.

    The number N(h) of nodes is close to ``(k0 + k1 h) h**-d``: the bulk and the boundary. Two
    cheap runs give k0 and k1, a full one usually confirms them. N(h) jumps by a node or two from
    one spacing to the next, which matters for small counts: after a few misses the spacing is
    also shifted a little, by a fixed sequence that fills an interval evenly.

    Parameters
    ----------
    count
        Wanted number of nodes.
    layout_at
        Takes a spacing, gives a layout.
    size_of
        Takes a layout, gives its number of nodes.
    dimension
        d
    volume
        Of the domain or of a box around it; the first guess comes from it.

    Raises
    ------
    ValueError
        If no spacing was found.

    Examples
    --------
    >>> spacing, layout = solve_spacing(500, lambda h: round(3 / h**2 + 7 / h), int, 2, 4.0)
    >>> abs(layout - 500) <= 10
    True
    """
    tolerance = max(TOLERANCE_NODES, int(TOLERANCE * count))
    trials: list[tuple[float, int]] = []
    for attempt in range(TRIES):
        goal = _goal(count, attempt)
        spacing = _predict(goal, trials, dimension, volume) * _shift(attempt)
        layout = layout_at(spacing)
        size = size_of(layout)
        if abs(size - count) <= tolerance:
            return spacing, layout
        trials.append((spacing, max(size, 1)))
    nearest = min(trials, key=lambda trial: abs(trial[1] - count))
    raise ValueError(
        f"no spacing gives count={count} nodes to within {tolerance}; the nearest is "
        f"{nearest[1]} nodes, with spacing={nearest[0]:g}. Pass that spacing, or another count"
    )


def _goal(count: int, attempt: int) -> int:
    """Number of nodes to aim at: two coarse runs, then the count itself."""
    coarse = min(count, COARSE)
    return (4 * coarse, coarse, count)[min(attempt, 2)]


def _shift(attempt: int) -> float:
    """Return a factor near one: exactly one at first, later anywhere within 4%."""
    if attempt < 5:
        return 1.0
    return 1.0 + 0.08 * ((attempt * GOLDEN) % 1.0 - 0.5)


def _predict(goal: int, trials: list[tuple[float, int]], dimension: int, volume: float) -> float:
    """Spacing at which the trials so far suggest ``goal`` nodes."""
    if not trials:
        return float((volume / goal) ** (1.0 / dimension))
    near = sorted(trials, key=lambda trial: max(trial[1], goal) / min(trial[1], goal))
    h, n = near[0]
    k = n * h**dimension
    # Two runs at nearly the same spacing differ by chance and give no slope.
    others = [(g, m) for g, m in near[1:] if max(g, h) > 1.3 * min(g, h)]
    slope = (others[0][1] * others[0][0] ** dimension - k) / (others[0][0] - h) if others else 0.0
    spacing = float(h * (n / goal) ** (1.0 / dimension))
    for _ in range(20):
        # Far from the trials the line may leave the range in which it means anything.
        density = min(max(k + slope * (spacing - h), 0.5 * k), 2.0 * k)
        spacing = float((density / goal) ** (1.0 / dimension))
    return spacing
