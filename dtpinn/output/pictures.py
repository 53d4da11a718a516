"""The picture of a run: the solution, its error, and how the training got there.

Drawn with matplotlib's object interface on the Agg canvas: no display, and no list of open figures
as pyplot keeps. matplotlib is imported when something is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from dtpinn.output.convergence import draw_convergence
from dtpinn.output.files import StrPath, replacing
from dtpinn.output.triangles import triangulate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = npt.NDArray[Any]

STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "mathtext.fontset": "dejavusans",
}


def picture_run(
    path: StrPath,
    points: Any,
    solution: Any,
    error: Any = None,
    history: Mapping[str, Sequence[float]] | None = None,
    *,
    floor: float | None = None,
    title: str = "",
    boundary: Any = None,
) -> None:
    """Draw a run in up to three panels: the solution, |error|, and the convergence.

    Parameters
    ----------
    path : path
        Where to; the suffix (.png, .pdf, .svg) says in what format.
    points : array or tensor (n, d)
        d = 2: filled triangles over the points, on a domain of any shape. d = 1: curves. d = 3:
        the points of a slab in the middle of the third coordinate, seen from above.
    solution : array or tensor (n,)
    error : array or tensor (n,), optional
        Signed or absolute. Without it the panel is left out.
    history : mapping, optional
        Sequences "evaluations" (or "epoch"), "loss", and "error" (relative l2; optional). NaN is a
        gap. Without it the panel is left out.
    floor : float, optional
        The discretisation's own error, drawn as a dashed line.
    title : str
    boundary : array or tensor (nb, 2), optional
        Points of the boundary, drawn as dots; for d = 2.

    Raises
    ------
    ValueError
        If the shapes do not fit, d is more than 3, or the suffix is no picture's.
    """
    points, solution = _array(points), _array(solution)
    fields = [("solution", solution)]
    if error is not None:
        fields.append(("|error|", np.abs(_array(error))))
    _check(points, dict(fields))
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        panels = len(fields) + (history is not None)
        figure = Figure(figsize=(0.3 + 3.1 * panels, 2.9), layout="constrained")
        axes = figure.subplots(1, panels, squeeze=False)[0]
        for ax, (name, values) in zip(axes, fields, strict=False):
            _draw_field(ax, points, values, name)
            if boundary is not None and points.shape[1] == 2:
                ax.scatter(*_array(boundary).T, s=0.8, c="black", linewidths=0, zorder=3)
        if history is not None:
            draw_convergence(axes[-1], history, floor)
        if title:
            figure.suptitle(title, fontsize=10)
        save_figure(path, figure)


def save_figure(path: StrPath, figure: Figure, *, dpi: int = 150) -> None:
    """Save a matplotlib figure safely, in the format that the suffix names.

    Raises
    ------
    ValueError
        If matplotlib writes no such format.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    suffix = Path(path).suffix.lstrip(".").lower()
    known = canvas.get_supported_filetypes()
    if suffix not in known:
        raise ValueError(
            f"cannot draw {str(path)!r}: expected a suffix among {', '.join(sorted(known))}, "
            f"got {suffix!r}"
        )
    with replacing(path) as file:
        figure.savefig(file, format=suffix, dpi=dpi)


def _array(values: Any) -> Array:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=float)


def _check(points: Array, fields: Mapping[str, Array]) -> None:
    if points.ndim != 2 or points.shape[1] not in (1, 2, 3) or len(points) < 3:
        raise ValueError(
            f"picture_run: expected at least 3 points of shape (n, 1), (n, 2) or (n, 3), got "
            f"{points.shape}"
        )
    for name, values in fields.items():
        if values.shape != points.shape[:1]:
            raise ValueError(
                f"picture_run: expected the {name} of shape ({len(points)},), one number for each "
                f"point, got {values.shape}; draw one field at a time"
            )


def _draw_field(ax: Axes, points: Array, values: Array, name: str) -> None:
    """One field over the domain; an |error| on a logarithmic scale."""
    logarithmic = name == "|error|"
    ax.set_title(name, loc="left")
    if points.shape[1] == 1:
        _draw_curve(ax, points[:, 0], values, logarithmic=logarithmic)
        return
    style = {"norm": _log_norm(values), "cmap": "magma"} if logarithmic else {"cmap": "viridis"}
    drawn: Any
    if points.shape[1] == 3:
        points, values = _middle_slab(ax, points, values)
        drawn = ax.scatter(points[:, 0], points[:, 1], c=values, s=14, linewidths=0, **style)
    else:
        triangulation = triangulate(points)
        shown = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
        drawn = ax.tripcolor(triangulation, shown, shading="gouraud", rasterized=True, **style)
    ax.set_aspect("equal")
    ax.margins(0.03)
    ax.locator_params(nbins=5)
    ax.spines[["top", "right"]].set_visible(False)
    bar = ax.figure.colorbar(drawn, ax=ax, shrink=0.8, aspect=22, pad=0.03)
    bar.outline.set_visible(False)


def _draw_curve(ax: Axes, x: Array, values: Array, *, logarithmic: bool) -> None:
    order = np.argsort(x)
    if logarithmic:
        ax.set_yscale("log", nonpositive="mask")
    ax.plot(x[order], values[order], color="#0072B2", linewidth=1.2)
    ax.set_xlabel("x")
    ax.spines[["top", "right"]].set_visible(False)


def _log_norm(values: Array) -> Any:
    """At most four decades below the largest error: points where it changes sign say nothing."""
    from matplotlib.colors import LogNorm

    positive = values[np.isfinite(values) & (values > 0.0)]
    if len(positive) == 0:
        return LogNorm(1e-16, 1e-15, clip=True)
    top = float(positive.max())
    bottom = min(max(float(np.quantile(positive, 0.02)), 1e-4 * top), 0.1 * top)
    return LogNorm(bottom, top, clip=True)


def _middle_slab(ax: Axes, points: Array, values: Array) -> tuple[Array, Array]:
    """The points within one mean spacing of the middle height; the panel's title says which."""
    extent = np.ptp(points, axis=0)
    half = float(np.prod(np.where(extent > 0, extent, 1.0)) / len(points)) ** (1 / 3)
    middle = float(points[:, 2].min() + 0.5 * extent[2])
    middle = round(middle, -int(np.floor(np.log10(half)))) + 0.0  # as the title will say it; no -0
    inside = np.abs(points[:, 2] - middle) <= half
    ax.set_title(f"{ax.get_title(loc='left')} at z = {middle:g} ± {half:.2g}", loc="left")
    return points[inside], values[inside]
