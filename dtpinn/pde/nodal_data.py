"""NodalData: a function that is known at some points only, such as measurements at the nodes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree
from torch import Tensor

from dtpinn.arrays import Integers
from dtpinn.pde.fitted import fitted_gradient


class NodalData:
    """Values at given points, as a function of the points: a source, boundary data, initial values.

    An equation's functions are called with whatever points they are needed at: all nodes, a part of
    the boundary, a few of them to try. This one finds them among its own, in any order, and does
    not interpolate: elsewhere it is an error.

    Parameters
    ----------
    points : (m, d), or (m, d + 1) with the time last
        Of values without time, the same answer is given at every time.
    values : (m,) or (m, fields)
    tolerance : float, optional
        How far from one of its points a point may be; 1e-6 of the largest coordinate by default,
        which points in float32 meet.

    Examples
    --------
    >>> import torch, dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    >>> measured = nodes.collocation[:, 0]  # one number for each node
    >>> f = NodalData(nodes.collocation, measured)
    >>> pde = dtpinn.Poisson(f, boundary=dtpinn.Dirichlet())
    >>> bool(f(torch.tensor(nodes.boundary))[3] == nodes.boundary[3, 0])
    True
    """

    def __init__(
        self, points: ArrayLike, values: ArrayLike, tolerance: float | None = None
    ) -> None:
        if hasattr(points, "collocation"):
            raise TypeError(
                "NodalData: expected points (m, d), got nodes; their points are nodes.collocation, "
                "interior first, and nodes.boundary those on the boundary"
            )
        at, data = np.asarray(points, dtype=np.float64), np.asarray(values, dtype=np.float64)
        if at.ndim != 2 or data.ndim not in (1, 2) or len(data) != len(at) or not len(at):
            raise ValueError(
                "NodalData: expected points (m, d) and values (m,) or (m, fields), got shapes "
                f"{at.shape} and {data.shape}"
            )
        if not (np.isfinite(at).all() and np.isfinite(data).all()):
            raise ValueError("NodalData: points and values must be finite")
        self.values = torch.tensor(data)
        self.tolerance = 1e-6 * np.abs(at).max() if tolerance is None else float(tolerance)
        self._tree, self._data = cKDTree(at), data
        # Two points that one could be taken for would have one value between them.
        if close := self._tree.query_pairs(2 * self.tolerance):
            i, j = min(close)
            raise ValueError(
                f"NodalData: points {i} and {j} are both at {at[i]}, within the tolerance of "
                f"{self.tolerance:.1e}; give each point once"
            )

    def __repr__(self) -> str:
        return f"NodalData({len(self.values)} points)"

    def __call__(self, x: Tensor, *others: Tensor) -> Tensor:
        """Return the values at x (n, d), and t (n,) where the points have a time; ignore normals.

        Raises
        ------
        ValueError
            If some point is none of the given ones, or the values were to be differentiated.
        """
        if x.requires_grad:
            raise ValueError(
                "NodalData: values at points have no derivative; take it of the unknown, "
                "k * D.partial(u, 0), or give a function that torch can differentiate. As a "
                "conductivity of the library's equations they may stand: gradient() is fitted"
            )
        return self.values[torch.from_numpy(self._found(x, *others))].to(x)

    def gradient(self, x: Tensor, *others: Tensor) -> Tensor:
        """Return the gradient (n, d) of values (m,), at some of the points x (n, d).

        Of a polynomial of degree 4 that is fitted to the values around each point, so that noise is
        smoothed a little, and the error that of the fourth power of the spacing. For values without
        times that are smooth: what jumps has no gradient.

        Raises
        ------
        ValueError
            If some point is none of the given ones, there are too few, or values have times.

        Examples
        --------
        >>> import torch
        >>> x = torch.linspace(0, 1, 20, dtype=torch.float64)[:, None]
        >>> bool((NodalData(x, x[:, 0] ** 3).gradient(x) - 3 * x**2).abs().max() < 1e-12)
        True
        """
        if self._data.ndim != 1 or self._tree.m != x.shape[1]:
            raise ValueError(
                "NodalData: a gradient is that of one number per point, without times; got values "
                f"{self._data.shape} at points {self._tree.data.shape} for x {tuple(x.shape)}"
            )
        index = self._found(x, *others)
        return torch.from_numpy(fitted_gradient(self._tree, self._data, index)).to(x)

    def _found(self, x: Tensor, *others: Tensor) -> Integers:
        """Which of its points these are."""
        times = [t[:, None] for t in others if t.dim() == 1]
        dimension = self._tree.m
        at = torch.cat([x, *times], dim=1) if dimension > x.shape[1] else x
        if at.shape[1] != dimension:
            raise ValueError(
                f"NodalData: its points have {dimension} coordinates, and it was asked at points "
                f"of shape {tuple(x.shape)}" + " with times" * bool(times)
            )
        wanted = at.detach().cpu().double().numpy()
        distance, index = self._tree.query(wanted)
        worst = int(distance.argmax())
        if distance[worst] > self.tolerance:
            raise ValueError(
                f"NodalData: {int((distance > self.tolerance).sum())} of {len(x)} points are none "
                f"of its own; {wanted[worst]} is {distance[worst]:.1e} away from the nearest. An "
                "equation needs its data on nodes.collocation, a condition on nodes.boundary, what "
                "stands inside D.laplacian(lambda u, x: ...) on nodes.extended"
            )
        return np.asarray(index)
