"""A constraint, linearised: a weighted sum over the points of a residual, at each of the times."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, eye_array, kron
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.problem.jacobian.linear_derivatives import NodalState
from dtpinn.problem.jacobian.linear_residual import LinearResidual
from dtpinn.problem.time_slices import TimeSlices


class LinearSum:
    """A residual on some of the nodal values, summed up with weights.

    Parameters
    ----------
    residual : LinearResidual
        Of one equation, at the points that are summed over.
    weights : (points,) array
    slices : TimeSlices
    """

    def __init__(self, residual: LinearResidual, weights: Floats, slices: TimeSlices) -> None:
        self.name, self._residual = residual.name, residual
        # Points are node-major: the weight of a point for each of its times.
        self._sum = csr_array(kron(weights[None], eye_array(slices.count), format="csr"))
        self._kept: list[tuple[csr_array, csr_array]] = []

    def move(self, t: Tensor | None) -> None:
        """Take other times, of all nodal values."""
        self._residual.move(t)

    def __call__(self, everywhere: NodalState) -> tuple[Floats, csr_array, list[csr_array]]:
        """Return residual (times, 1), Jacobian in u, and those in the rates if there are any."""
        r, J, rates = self._residual(everywhere)
        kept, self._kept = self._kept, []
        J, *rates = (self._summed(matrix, kept) for matrix in (J, *rates))
        return np.asarray(self._sum @ r), J, rates

    def _summed(self, matrix: csr_array, kept: list[tuple[csr_array, csr_array]]) -> csr_array:
        """The very same object while the points' Jacobian is."""
        found = next((done for of, done in kept if of is matrix), None)
        found = csr_array(self._sum @ matrix) if found is None else found
        self._kept.append((matrix, found))
        return found
