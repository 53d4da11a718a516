"""A picture of nodes: interior, boundary by parts, ghosts, and normals.

matplotlib is imported when something is drawn, and used through its object interface, which needs
no display.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats
from dtpinn.geometry.clearance import keep_apart
from dtpinn.nodes.node_set import NodeSet
from dtpinn.output import save_figure
from dtpinn.output.figures import STYLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


SIZE = 6.0  # inches, the longest side of the domain; times 72 it is so many points
# Diameter of a node in spacings, and its bounds in points: one of a hundred is no blot, one of a
# hundred thousand can be seen.
DIAMETER, THINNEST, THICKEST = 0.4, 0.5, 6.0
# An arrow is two spacings long and at least this share of the domain, and so far from the next.
ARROW, ARROW_GAP = 0.04, 0.025
# In the legend, which is to leave the picture its room: so many parts, with names so long.
LABELS, LETTERS = 12, 24
GREY = "0.55"
# Okabe and Ito's, which the colour-blind tell apart; yellow left out, as it is lost on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def draw_nodes(
    nodes: NodeSet, path: str | os.PathLike[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw ``nodes`` on ``ax``, or on a new figure, and save it at ``path`` if there is one.

    In space, the half beyond the middle of the second axis is drawn, so that one sees inside.

    Raises
    ------
    ValueError
        If ``ax`` has not the nodes' dimension, or the suffix of ``path`` is no picture's.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        if ax is None:
            height = {1: 0.25, 2: 1.0, 3: 1.0}[nodes.dimension] * SIZE
            figure = Figure(figsize=(SIZE + 1.0, height), layout="constrained")
            ax = figure.add_subplot(projection="3d" if nodes.dimension == 3 else None)
        if (ax.name == "3d") != (nodes.dimension == 3):
            raise ValueError(
                f"nodes in {nodes.dimension}-D cannot be drawn on axes with the projection "
                f"{ax.name!r}; leave out ax, or make it with "
                + ("projection='3d'" if nodes.dimension == 3 else "no projection")
            )
        _draw(nodes, ax)
        if path is not None:
            save_figure(path, cast("Figure", ax.get_figure(root=True)), dpi=200)
    return ax


def _draw(nodes: NodeSet, ax: Axes) -> None:
    h = nodes.local_spacing
    edge = h[nodes.interior_count :]
    _scatter(ax, nodes, nodes.interior, h[: nodes.interior_count], color=GREY, label="interior")
    for number, label in enumerate(_labels(nodes)):
        if nodes.parts[number] in nodes.empty_parts:
            continue
        rows = nodes.part == number
        colour = COLOURS[number % len(COLOURS)]
        _scatter(ax, nodes, nodes.boundary[rows], edge[rows], color=colour, label=label)
    if nodes.cell.periodic and nodes.dimension < 3:
        _draw_seams(ax, nodes)
    if not nodes.boundary_count:
        return _frame(ax, nodes)
    hollow = {"facecolors": "none", "edgecolors": "black", "label": "ghosts"}
    _scatter(ax, nodes, nodes.ghost, 0.6 * edge[nodes.ghost_of], linewidths=0.4, **hollow)
    _draw_normals(ax, nodes)
    return _frame(ax, nodes)


def _draw_seams(ax: Axes, nodes: NodeSet) -> None:
    """Dashed lines where the cell begins and ends."""
    for k in nodes.cell.axes:
        start = nodes.cell.lower[k]
        for at in (start, start + nodes.cell.periods[k]):
            (ax.axvline if k == 0 else ax.axhline)(at, color=GREY, linewidth=0.8, linestyle="--")


def _labels(nodes: NodeSet) -> list[str | None]:
    """Of the parts, for the legend: where they are many the largest alone, and how many are left.

    A name that does not fit beside the picture is cut in the middle.
    """
    count = len(nodes.parts)
    size = np.bincount(nodes.part, minlength=count)
    shown = np.argsort(-size, kind="stable")[: LABELS if count > LABELS + 1 else count]
    labels: list[str | None] = [None] * count
    for number in sorted(shown.tolist()):
        name, half = nodes.parts[number], LETTERS // 2
        labels[number] = name if len(name) <= LETTERS else f"{name[:half]}...{name[-half:]}"
    if len(shown) < count:
        last = max(shown.tolist())
        labels[last] = f"{labels[last]}\n... and {count - len(shown)} parts more"
    return labels


def _scatter(ax: Axes, nodes: NodeSet, points: Floats, h: Floats, **style: Any) -> None:
    """Dots as wide as their spacing asks for."""
    rows = _shown(nodes, points)
    width = np.clip(DIAMETER * h[rows] * 72.0 * SIZE / _extent(nodes), THINNEST, THICKEST)
    look: dict[str, Any] = {"s": width**2, "linewidths": 0.0} | style
    ax.scatter(*_columns(points[rows]), **look)


def _draw_normals(ax: Axes, nodes: NodeSet) -> None:
    """Arrows, at as many nodes as do not touch; at a corner one for each side."""
    extent, space = _extent(nodes), nodes.dimension == 3
    rows = _shown(nodes, nodes.boundary)
    gap = np.full(len(rows), (2.0 if space else 1.0) * ARROW_GAP * extent)
    rows = rows[keep_apart(nodes.boundary[rows], gap)]
    sides = nodes.sides.of(rows)
    rows = rows[sides.point]
    start, h = nodes.boundary[rows], nodes.local_spacing[nodes.interior_count :][rows]
    way = np.clip(2.0 * h, ARROW * extent, 2.0 * ARROW * extent)[:, None] * sides.normals
    if space:
        ax.quiver(*start.T, *way.T, linewidth=0.5, color="black")
        return
    look: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1.0, "width": 0.002}
    ax.quiver(*_columns(start), *_columns(way), color="black", zorder=3, **look)
    ax.update_datalim(_columns(start + way).T)  # of a quiver matplotlib knows the starts only
    ax.autoscale_view()


def _frame(ax: Axes, nodes: NodeSet) -> None:
    ax.set_title(
        f"{nodes.interior_count} interior, {nodes.boundary_count} boundary, "
        f"{nodes.ghost_count} ghost nodes, spacing {nodes.spacing:.3g}",
        loc="left",
    )
    if nodes.dimension == 1:
        ax.set_ylim(-1.0, 1.0)
        ax.set_yticks([])
        ax.spines[["left", "top", "right"]].set_visible(False)
    else:
        ax.set_aspect("equal")
    if nodes.dimension == 2:
        ax.spines[["top", "right"]].set_visible(False)
    legend = ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    for handle in legend.legend_handles:
        handle.set_sizes([16.0])  # type: ignore[union-attr]


def _shown(nodes: NodeSet, points: Floats) -> npt.NDArray[np.intp]:
    """Rows to be drawn: all of them, or the half behind the middle of space."""
    if nodes.dimension < 3:
        return np.arange(len(points))
    depth = nodes.collocation[:, 1]
    return np.flatnonzero(points[:, 1] >= 0.5 * (depth.min() + depth.max()))


def _columns(vectors: Floats) -> Floats:
    """Coordinates (d, n), of points on the line with a second one of zero."""
    return np.pad(vectors, [(0, 0), (0, 1)]).T if vectors.shape[1] == 1 else vectors.T


def _extent(nodes: NodeSet) -> float:
    return float(np.ptp(nodes.extended, axis=0).max())
