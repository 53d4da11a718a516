"""One residual of an equation, linearised where it holds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from dtpinn.arrays import Floats, Integers
from dtpinn.problem.jacobian.linear_derivatives import LinearDerivatives, NodalState
from dtpinn.problem.jacobian.sparse_sum import SparseSum, Term
from dtpinn.problem.matrices import Matrices
from dtpinn.problem.pointwise import checked_diagonals
from dtpinn.problem.time_slices import TimeSlices


class LinearResidual:
    """A residual on some of the nodal values, and the sparse sums that its Jacobians are.

    Parameters
    ----------
    name : str
        Of the residual; its matrices are those of the region of that name.
    function : callable
        ``function(u, D, x[, normals][, t])``.
    sites : (n,) int array
        Where it holds, among the nodes * times nodal values.
    everywhere : NodalState
        For the points; the values play no part.
    normals : (n, d) Tensor, optional
    slices : TimeSlices
        At which the matrices give values.
    matrices : Matrices
    time_order : int
        How many rates there are.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Tensor],
        sites: Integers,
        everywhere: NodalState,
        normals: Tensor | None,
        slices: TimeSlices,
        matrices: Matrices,
        time_order: int,
    ) -> None:
        self.name, self._function, self._slices = name, function, slices
        self._matrices = matrices
        self._sites = torch.from_numpy(sites).to(everywhere.x.device)
        # Tensors that stay while the time moves: known functions remember a value for each.
        self._x, self._normals = everywhere.x[self._sites], normals
        count, columns = len(sites), len(everywhere.x)
        ones = np.ones(count), sites, np.arange(count + 1)
        self._own = csr_array(ones, shape=(count, columns))
        fields = 1 if everywhere.u.dim() == 1 else everywhere.u.shape[1]
        self._jacobian = SparseSum(columns, fields)
        self._in_rates = [SparseSum(columns, fields) for _ in range(time_order)]
        self.move(everywhere.t)

    def move(self, t: Tensor | None) -> None:
        """Take other times, of all nodal values."""
        self._t = None if t is None else t[self._sites]

    def __call__(self, everywhere: NodalState) -> tuple[Floats, csr_array, list[csr_array]]:
        """Return residual (n, equations), Jacobian in u, and in each of the rates.

        Raises
        ------
        ValueError
            If it couples points: it would have other Jacobians.
        """
        rates = tuple(self._leaf(rate) for rate in everywhere.rates)
        here = NodalState(self._leaf(everywhere.u), rates, self._x, self._t)
        D = LinearDerivatives(self._matrices, self.name, everywhere, here, self._slices)
        data = (part for part in (self._x, self._normals, self._t) if part is not None)
        with torch.enable_grad():
            r = self._function(here.u, D, *data)
        equations = r[:, None] if r.dim() == 1 else r
        used = D.used
        leaves = [here.u, *rates, *(z.values for z in used)]
        by_equation = [
            checked_diagonals(column, leaves, self.name, self._function)
            for column in equations.unbind(1)
        ]
        outer = [np.stack(slopes) for slopes in zip(*by_equation, strict=True)]
        own, *terms = (Term(self._own, 1, slopes, None) for slopes in outer[: 1 + len(rates)])
        in_rates = [total([term]) for total, term in zip(self._in_rates, terms, strict=True)]
        in_values = [own]
        for z, slopes in zip(used, outer[1 + len(rates) :], strict=True):
            in_values.append(Term(z.matrix, self._slices.count, slopes, z.slopes))
        return equations.detach().cpu().numpy(), self._jacobian(in_values), in_rates

    def _leaf(self, values: Tensor) -> Tensor:
        """The residual's own values."""
        return values.detach()[self._sites].requires_grad_()
