"""Nearest: numbers at some points, taken anywhere from the nearest of them."""

from __future__ import annotations

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from dtpinn.arrays import Floats


class Nearest:
    """A function that is constant around each of its points.

    Parameters
    ----------
    points : (m, d) array
    values : (m,) array

    Examples
    --------
    >>> import numpy as np
    >>> near = Nearest(np.array([[0.0], [1.0]]), np.array([3.0, 4.0]))
    >>> near(torch.tensor([[0.2], [0.9]]))
    tensor([3., 4.])
    """

    def __init__(self, points: Floats, values: Floats) -> None:
        self._tree, self._values = cKDTree(points), torch.tensor(values)

    def __call__(self, x: Tensor, *others: Tensor) -> Tensor:
        """Return the values at x (n, d), (n,)."""
        _, nearest = self._tree.query(x.detach().cpu().numpy())
        return self._values[torch.from_numpy(nearest)].to(x)
