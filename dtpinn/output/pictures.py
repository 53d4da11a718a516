"""The picture of a run: the solution, its error, and how the training got there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from dtpinn.output.convergence import draw_convergence
from dtpinn.output.figures import STYLE, save_figure
from dtpinn.output.files import StrPath
from dtpinn.output.panels import Cloud, draw_fields

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[Any]

# Of the fields of a system.
TITLES = {"solution": "{}", "|error|": "|error of {}|"}


class Block(NamedTuple):
    """Panels on one scale: their titles, values (panels, n), and whether these are errors."""

    titles: list[str]
    values: Array
    error: bool


def picture_run(
    path: StrPath,
    points: Any,
    solution: Any,
    error: Any = None,
    history: Mapping[str, Sequence[float]] | None = None,
    *,
    times: Any = None,
    floor: float | None = None,
    title: str = "",
    names: Sequence[str] | None = None,
    boundary: Any = None,
    outward: Any = None,
) -> None:
    """Draw the solution, its error and the convergence; a row for each field of a system.

    In space-time there are the first, the middle and the last of the times, on a common scale.

    Parameters
    ----------
    path : path
        Where to; the suffix (.png, .pdf, .svg) says in what format.
    points : array or tensor (n, d)
        d = 2: filled triangles over the points, on a domain of any shape. d = 1: curves. d = 3:
        the points of a slab in the middle of the third coordinate, seen from above.
    solution : array or tensor (n,) or (n, fields)
        In space-time (n * times,) or (n * times, fields), node-major.
    error : array or tensor of the same shape, optional
        Signed or absolute. Without it the panels are left out.
    history : mapping, optional
        Sequences "evaluations" (or "epoch"), "loss", and optionally "error" (relative l2) and
        "stage". NaN is a gap. Without it the panel is left out.
    times : sequence of float, optional
        Of a problem in space-time.
    floor : float, optional
        The discretisation's own error, drawn as a dashed line.
    title : str
    names : sequence of str, optional
        Of the fields of a system, for the titles of their panels.
    boundary : array or tensor (nb, 2), optional
        Points of the boundary, drawn as dots; for d = 2.
    outward : array or tensor (n, d), optional
        Outward normals of those points that are on the boundary, zero for all others: nothing is
        painted outside the domain. Without it the lengths of triangles decide, for d = 2.

    Raises
    ------
    ValueError
        If the shapes do not fit, d is more than 3, or the suffix is no picture's.
    """
    points, instants = _points(points), None if times is None else _array(times)
    if outward is not None and _array(outward).shape != points.shape:
        raise ValueError(
            f"picture_run: expected outward of shape {points.shape}, a normal or zeros for each "
            f"point, got {_array(outward).shape}"
        )
    cloud = Cloud(points, *(None if a is None else _array(a) for a in (boundary, outward)))
    wanted = len(points), 1 if instants is None else len(instants)
    fields = {"solution": _fields("solution", solution, wanted)}
    if error is not None:
        fields["|error|"] = np.abs(_fields("|error|", error, wanted, fields["solution"].shape[2]))
    rows = _rows(fields, names, instants, cloud.where)
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        figure = _draw(rows, cloud, history, floor)
        if title:
            figure.suptitle(title, fontsize=10)
        save_figure(path, figure)


def shown_times(count: int) -> list[int]:
    """Return which of some times are drawn: the first, the middle and the last.

    Examples
    --------
    >>> shown_times(25), shown_times(2)
    ([0, 12, 24], [0, 1])
    """
    return sorted({0, count // 2, count - 1})


def _rows(
    fields: Mapping[str, Array], names: Sequence[str] | None, times: Array | None, where: str
) -> list[list[Block]]:
    """Arrange values (n, times, fields): by field, in space-time with a row for each quantity."""
    count = next(iter(fields.values())).shape[2]
    names = [f"$u_{{{k + 1}}}$" for k in range(count)] if names is None else names
    if len(names) != count:
        raise ValueError(f"picture_run: there are {count} fields, and {len(names)} names of them")
    shown = [0] if times is None else shown_times(len(times))
    rows = []
    for number in range(count):
        blocks = []
        for name, values in fields.items():
            of = name if count == 1 else TITLES[name].format(names[number])
            at = [""] if times is None else [f"t = {times[k]:.3g}" for k in shown]
            # Where in space is the same for all, and said of the first: titles are side by side.
            at[0] = ", ".join(filter(None, (at[0], where)))
            titles = [f"{of} at {place}" if place else of for place in at]
            blocks.append(Block(titles, values[:, shown, number].T, name == "|error|"))
        rows += [blocks] if times is None else [[block] for block in blocks]
    return rows


def _draw(
    rows: list[list[Block]],
    cloud: Cloud,
    history: Mapping[str, Sequence[float]] | None,
    floor: float | None,
) -> Figure:
    """Lay out the rows, and the convergence to their right."""
    from matplotlib.figure import Figure

    across = sum(len(block.titles) for block in rows[0])
    # Panels that share a colour bar need less room.
    wide, high = (3.1, 2.9) if len(rows[0][0].titles) == 1 else (2.4, 2.4)
    widths = [wide] * across + [3.1] * (history is not None)
    size = (0.3 + sum(widths), high * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.add_gridspec(len(rows), len(widths), width_ratios=widths)
    for number, blocks in enumerate(rows):
        column = 0
        for block in blocks:
            places = range(column, column + len(block.titles))
            axes = [figure.add_subplot(grid[number, place]) for place in places]
            draw_fields(axes, cloud, block.values, block.titles, error=block.error)
            column = places.stop
    if history is not None:
        ax = figure.add_subplot(grid[:, -1])
        ax.set_box_aspect(None if len(rows) == 1 else 0.9)  # not a tower beside many rows
        draw_convergence(ax, history, floor)
    return figure


def _array(values: Any) -> Array:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=float)


def _points(points: Any) -> Array:
    found = _array(points)
    if found.ndim != 2 or found.shape[1] not in (1, 2, 3) or len(found) < 3:
        raise ValueError(
            f"picture_run: expected at least 3 points of shape (n, 1), (n, 2) or (n, 3), got "
            f"{found.shape}"
        )
    return found


def _fields(name: str, values: Any, wanted: tuple[int, int], fields: int | None = None) -> Array:
    """Values as (n, times, fields)."""
    found, (nodes, times) = _array(values), wanted
    rows = nodes * times
    other = fields is not None and found.size != rows * fields
    if found.ndim not in (1, 2) or len(found) != rows or other:
        shape = f"({rows},) or ({rows}, fields)" if fields is None else f"({rows}, {fields})"
        at = "" if times == 1 else f" and {times} times"
        raise ValueError(
            f"picture_run: expected the {name} of shape {shape} for {nodes} points{at}, got "
            f"{found.shape}"
        )
    return np.asarray(found.reshape(nodes, times, -1))
