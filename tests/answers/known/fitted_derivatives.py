"""Derivatives of an answer by local fits: a third kind, to hold answers against their equations."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations_with_replacement
from math import factorial

import numpy as np
import torch
from torch import Tensor

from dtpinn.geometry import Domain
from tests.answers.known.question import Array

DEGREE = 6


class FittedDerivatives:
    """The vocabulary of a residual, for a function at some points of a closed domain.

    Round every point a polynomial is fitted to the function, on points of the domain that are no
    farther than `radius`. `u` is its value.
    """

    def __init__(
        self,
        function: Callable[[Array], Array],
        domain: Domain,
        points: Array,
        radius: float,
        normals: Array | None = None,
    ) -> None:
        self.dimension, self.radius = points.shape[1], radius
        self.points = torch.from_numpy(points)
        self.normals = None if normals is None else torch.from_numpy(normals)
        axes = range(self.dimension)
        self.powers = [
            power for n in range(DEGREE + 1) for power in combinations_with_replacement(axes, n)
        ]
        shape = (16 * len(self.powers), self.dimension)
        draws = np.random.default_rng(0).uniform(-1, 1, shape)
        draws = draws[np.linalg.norm(draws, axis=1) < 1]
        fits = []
        for point in points:
            inside = domain.signed_distance(point + radius * draws) < -1e-3 * radius
            z = draws[inside][: 2 * len(self.powers)]
            basis = np.stack([z[:, list(power)].prod(1) for power in self.powers], axis=1)
            fits.append(np.linalg.lstsq(basis, function(point + radius * z), rcond=None)[0])
        self.coefficients = torch.from_numpy(np.stack(fits))  # (n, powers), (n, powers, fields)
        self.u = self.coefficients[:, 0]

    def partial(self, u: Tensor, *axes: int) -> Tensor:
        """Derivative along axes, at the points."""
        power = tuple(sorted(axes))
        repeated = [factorial(power.count(axis)) for axis in set(power)]
        scale = float(np.prod(repeated)) / self.radius ** len(axes)
        return scale * self.coefficients[:, self.powers.index(power)]

    def laplacian(self, u: Tensor) -> Tensor:
        """Sum of the second derivatives."""
        return torch.stack([self.partial(u, axis, axis) for axis in range(self.dimension)]).sum(0)

    def gradient(self, u: Tensor) -> Tensor:
        """First derivatives, the axis last."""
        return torch.stack([self.partial(u, axis) for axis in range(self.dimension)], dim=-1)

    def normal(self, u: Tensor) -> Tensor:
        """Derivative along the normal."""
        assert self.normals is not None, "a normal derivative inside of the domain"
        return torch.einsum("n...d,nd->n...", self.gradient(u), self.normals)
