"""Panels: fields over a cloud of points, side by side on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dtpinn.output.triangles import triangulate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.tri import Triangulation

Array = npt.NDArray[Any]


class Cloud:
    """Points as a panel shows them.

    Curves over a line; filled triangles in the plane, on a domain of any shape; in space the points
    of a slab in the middle of the third coordinate, seen from above.

    Parameters
    ----------
    points : array (n, 1), (n, 2) or (n, 3)
    boundary : array (nb, 2), optional
        Drawn as dots, in the plane.
    outward : array (n, d), optional
        Outward normals of the points on the boundary, zero for all others.

    Attributes
    ----------
    shown : array (n,) of bool
        Which points are seen.
    where : str
        What a title says of that, or nothing.
    """

    def __init__(
        self, points: Array, boundary: Array | None = None, outward: Array | None = None
    ) -> None:
        self._points, self._boundary, self._outward = points, boundary, outward
        self.dimension = points.shape[1]
        self.shown, self.where = np.ones(len(points), dtype=bool), ""
        if self.dimension == 3:
            self.shown, self.where = _middle_slab(points)

    def draw(self, ax: Axes, values: Array, norm: Any, colours: str) -> Any:
        """Draw values (n,); return what a colour bar explains, or None for a curve."""
        style: Any = {"norm": norm, "cmap": colours}
        drawn: Any
        if self.dimension == 1:
            order = np.argsort(self._points[:, 0])
            x, y = self._points[order, 0], values[order]
            ax.plot(x, y, color="#0072B2", linewidth=1.2)
            ax.set_xlabel("x")
            return None
        if self.dimension == 3:
            seen = self._points[self.shown]
            drawn = ax.scatter(
                seen[:, 0], seen[:, 1], c=values[self.shown], s=14, linewidths=0, **style
            )
        else:
            finite = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
            triangles = self._triangles
            drawn = ax.tripcolor(triangles, finite, shading="gouraud", rasterized=True, **style)
            if self._boundary is not None:
                x, y = self._boundary.T
                ax.scatter(x, y, s=0.8, c="black", linewidths=0, zorder=3)
        ax.set_aspect("equal")
        ax.margins(0.03)
        ax.locator_params(nbins=5)
        return drawn

    @cached_property
    def _triangles(self) -> Triangulation:
        return triangulate(self._points, outward=self._outward)


def draw_fields(
    axes: Sequence[Axes], cloud: Cloud, fields: Array, titles: Sequence[str], *, error: bool
) -> None:
    """Draw fields side by side on one scale, with one colour bar.

    Parameters
    ----------
    axes : sequence of Axes
        One for each field.
    cloud : Cloud
    fields : array (panels, n)
    titles : sequence of str
    error : bool
        Absolute values, on a logarithmic scale.
    """
    norm = (_log_norm if error else _norm)(fields[:, cloud.shown])
    drawn = None
    for ax, values, title in zip(axes, fields, titles, strict=True):
        ax.set_title(title, loc="left")
        ax.spines[["top", "right"]].set_visible(False)
        drawn = cloud.draw(ax, values, norm, "magma" if error else "viridis")
        if drawn is None:
            ax.set_yscale("log" if error else "linear")
            _share(ax, norm)
    if drawn is not None:
        bar = axes[0].figure.colorbar(drawn, ax=list(axes), shrink=0.8, aspect=22, pad=0.03)
        bar.outline.set_visible(False)


def _share(ax: Axes, norm: Any) -> None:
    """Let the axis of a curve be the scale that fields in the plane have as colours."""
    low, high = norm.vmin, norm.vmax
    if ax.get_yscale() == "log":
        ax.set_ylim(low / 1.5, high * 1.5)
    else:
        room = 0.05 * (high - low) or 0.05
        ax.set_ylim(low - room, high + room)


def _norm(values: Array) -> Any:
    from matplotlib.colors import Normalize

    finite = values[np.isfinite(values)]
    return Normalize(float(finite.min()), float(finite.max())) if len(finite) else Normalize(0, 1)


def _log_norm(values: Array) -> Any:
    """At most four decades below the largest error: points where it changes sign say nothing."""
    from matplotlib.colors import LogNorm

    positive = values[np.isfinite(values) & (values > 0.0)]
    if len(positive) == 0:
        return LogNorm(1e-16, 1e-15, clip=True)
    top = float(positive.max())
    bottom = min(max(float(np.quantile(positive, 0.02)), 1e-4 * top), 0.1 * top)
    return LogNorm(bottom, top, clip=True)


def _middle_slab(points: Array) -> tuple[Array, str]:
    """Which points are within one mean spacing of the middle height, and a title's word on it."""
    extent = np.ptp(points, axis=0)
    half = float(np.prod(np.where(extent > 0, extent, 1.0)) / len(points)) ** (1 / 3)
    middle = float(points[:, 2].min() + 0.5 * extent[2])
    middle = round(middle, -int(np.floor(np.log10(half)))) + 0.0  # as the title will say it; no -0
    return np.abs(points[:, 2] - middle) <= half, f"z = {middle:g} ± {half:.2g}"
