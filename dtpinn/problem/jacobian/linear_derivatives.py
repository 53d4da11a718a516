"""``D`` for a linearisation: every answer a leaf, remembered with the matrix it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.pde import Derivatives, Operator
from dtpinn.pde.arguments import Argument, check_argument
from dtpinn.pde.row_gradients import row_gradients
from dtpinn.problem.matrices import Matrices
from dtpinn.problem.pointwise import checked_diagonals
from dtpinn.problem.time_slices import TimeSlices


@dataclass(frozen=True)
class NodalState:
    """Values at points, all times of a node together, as leaves of autograd.

    Attributes
    ----------
    u : (nodes * times[, fields])
    rates : tuple of the same shape, du/dt and d2u/dt2, as many as the problem has
    x : (nodes * times, d)
    t : (nodes * times,); None in a steady problem
    """

    u: Tensor
    rates: tuple[Tensor, ...]
    x: Tensor
    t: Tensor | None

    @property
    def at(self) -> tuple[Tensor, ...]:
        """What a function of the unknown receives after u."""
        return (self.x,) if self.t is None else (self.x, self.t)


@dataclass(frozen=True)
class Dependence:
    """Operator values z = M v(u) that a residual has used.

    Attributes
    ----------
    of : what the operator was applied to, kept so that its id stays its own
    matrix : (points, nodes) csr_array
    values : (points * times, components) Tensor, a leaf
    answer : Tensor
        The same as the residual sees it: (points * times,) of a scalar.
    slopes : (nodes * times, components, fields) array
        dv/du; None where v is the unknown itself.
    """

    of: Argument
    matrix: csr_array
    values: Tensor
    answer: Tensor
    slopes: Floats | None


class LinearDerivatives(Derivatives):
    """``D`` on one region of a state.

    Parameters
    ----------
    matrices : Matrices
    region : str
    everywhere : NodalState
        On X~, for what the matrices act on.
    here : NodalState
        On the region, for the residual itself and its derivatives in time.
    slices : TimeSlices
        Of both.
    """

    def __init__(
        self,
        matrices: Matrices,
        region: str,
        everywhere: NodalState,
        here: NodalState,
        slices: TimeSlices,
    ) -> None:
        self.dimension = here.x.shape[1]
        self.state = (here.u, *here.at)
        self._matrices, self._region = matrices, region
        self._everywhere, self._here, self._slices = everywhere, here, slices
        self._used: dict[tuple[str, int], Dependence] = {}

    @property
    def used(self) -> list[Dependence]:
        """What the residual has depended on, in the order of its first use."""
        return list(self._used.values())

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        """Return the product as a leaf, the same one when asked again."""
        check_argument(of, self._here.u, operator.name)
        key = operator.name, id(of)
        if key not in self._used:
            self._used[key] = self._dependence(operator, of)
        return self._used[key].answer

    def rate(self, of: Argument, order: int) -> Tensor:
        """Return a rate, or by the chain rule that of a function: phi_u rate + phi_t.

        And of that again for the second. All of it is part of the graph, so that its own slopes,
        phi_uu among them, come out right.
        """
        here = self._here
        check_argument(of, here.u, "time")
        assert here.t is not None  # the dry run has refused D.time in steady problems
        if isinstance(of, Tensor):
            return here.rates[order - 1]
        t = here.t.detach().requires_grad_()
        v = of(here.u, here.x, t)
        columns = [v] if v.dim() == 1 else list(v.unbind(1))
        for column in columns:
            checked_diagonals(column, [here.u], self._region, of)  # raises where it couples points
        for k in range(order):
            inner = here.u, *here.rates[:k]
            columns = [_total_rate(column, inner, here.rates, t) for column in columns]
        return columns[0] if v.dim() == 1 else torch.stack(columns, dim=1)

    def _dependence(self, operator: Operator, of: Argument) -> Dependence:
        u = self._everywhere.u
        v = u if isinstance(of, Tensor) else of(u, *self._everywhere.at)
        columns = v[:, None] if v.dim() == 1 else v
        matrix = self._matrices.of(self._region, operator)
        by_node = self._slices.columns(columns.detach().cpu().numpy())
        product = self._slices.flat(matrix @ by_node, columns.shape)
        z = torch.from_numpy(product).to(u.device).requires_grad_()
        slopes = None if isinstance(of, Tensor) else _slopes(columns, u, self._region, of)
        return Dependence(of, matrix, z, z[:, 0] if v.dim() == 1 else z, slopes)


def _total_rate(
    column: Tensor, inner: Sequence[Tensor], rates: Sequence[Tensor], t: Tensor
) -> Tensor:
    """The rate of what depends on u, on some of its rates, and on t."""
    total = row_gradients(column, t)
    for values, rate in zip(inner, rates, strict=False):
        along = row_gradients(column, values) * rate
        total = total + (along if along.dim() == 1 else along.sum(1))
    return total


def _slopes(columns: Tensor, u: Tensor, region: str, of: Argument) -> Floats:
    """dv/du of a pointwise v(u), (n, components, fields)."""
    return np.stack([checked_diagonals(v, [u], region, of)[0] for v in columns.unbind(1)], axis=1)
