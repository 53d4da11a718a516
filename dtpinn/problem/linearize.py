"""The residuals of a discrete problem and their sparse Jacobian in the nodal values.

A residual is pointwise in u and in the operator values z_k = M_k u, so its Jacobian is
``diag(dr/du) + sum_k diag(dr/dz_k) M_k``, and the diagonals are one backward pass each: the sum
over the points of one residual component has for its gradient exactly these diagonals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from torch import Tensor

from dtpinn.pde import Derivatives, Operator
from dtpinn.pde.derivatives import Argument, check_argument
from dtpinn.problem.regions import Region

if TYPE_CHECKING:
    from dtpinn.problem.discrete import DiscreteProblem

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Linearization:
    """Residuals and Jacobians at one state.

    Attributes
    ----------
    residuals : dict of name to (n, equations) array
    jacobians : dict of name to (n * equations, nodes * fields) csr_array
        Row i * equations + e is equation e at point i; column j * fields + f is field f at node j
        of X~.
    """

    residuals: dict[str, Floats]
    jacobians: dict[str, csr_array]


@dataclass(frozen=True)
class _Dependence:
    """Operator values z = M v(u) that a residual has used."""

    matrix: csr_array  # (n, nodes)
    values: Tensor  # z, (n, components), a leaf
    slopes: Floats  # dv/du, (nodes, components, fields)


class _LinearizingDerivatives(Derivatives):
    """A ``D`` whose every answer is a leaf, remembered with the matrix it came from."""

    def __init__(
        self, problem: DiscreteProblem, region: Region, everywhere: Tensor, u: Tensor
    ) -> None:
        self.dimension = region.points.shape[1]
        self._problem, self._region = problem, region
        self._everywhere, self._u = everywhere, u
        self.used: list[_Dependence] = []

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        check_argument(of, self._u, operator.name)
        matrix = self._problem.matrices.of(self._region.name, operator)
        field = self._everywhere
        v = field if of is self._u else self._function(of)
        columns = v[:, None] if v.dim() == 1 else v
        product = torch.from_numpy(matrix @ columns.detach().cpu().numpy()).to(field.device)
        z = product.requires_grad_()
        slopes = _identity(field) if of is self._u else _slopes(columns, field)
        self.used.append(_Dependence(matrix, z, slopes))
        return z[:, 0] if v.dim() == 1 else z

    def time(self, of: Argument) -> Tensor:
        raise ValueError("D.time: time is not discretised, so there is no system to solve")

    def _function(self, of: Argument) -> Tensor:
        assert not isinstance(of, Tensor)
        points = torch.tensor(self._problem.nodes.extended, device=self._everywhere.device)
        return of(self._everywhere, points)


def linearize(problem: DiscreteProblem, u: NDArray[np.float64]) -> Linearization:
    """Return residuals and Jacobians of a steady problem at nodal values u on X~."""
    if problem.times is not None:
        raise ValueError(
            "a space-time problem has no discrete system: its time derivative is automatic "
            "differentiation of a model, not a matrix"
        )
    nodes, fields = len(problem.nodes.extended), problem.pde.fields
    shape = (nodes,) if fields == 1 else (nodes, fields)
    if np.shape(u) != shape:
        raise ValueError(f"nodal values on X~ must have shape {shape}, got {np.shape(u)}")
    device = problem.device
    everywhere = torch.tensor(u, dtype=torch.float64, device=device).requires_grad_()
    residuals, jacobians = {}, {}
    for region in problem.regions:
        rows = torch.from_numpy(region.rows).to(device)
        here = everywhere.detach()[rows].requires_grad_()
        D = _LinearizingDerivatives(problem, region, everywhere, here)
        with torch.enable_grad():
            r = region.function(here, D, *region.exact_data(problem.nodes))
        equations = r[:, None] if r.dim() == 1 else r
        residuals[region.name] = equations.detach().cpu().numpy()
        jacobians[region.name] = _jacobian(equations, here, region.rows, D.used, nodes, fields)
    return Linearization(residuals, jacobians)


def _jacobian(
    equations: Tensor,
    here: Tensor,
    rows: NDArray[np.int64],
    used: list[_Dependence],
    nodes: int,
    fields: int,
) -> csr_array:
    points, count = equations.shape
    shape = (points * count, nodes * fields)
    total = csr_array(shape)
    identity = csr_array((np.ones(points), (np.arange(points), rows)), shape=(points, nodes))
    own = _Dependence(identity, here, np.broadcast_to(np.eye(fields), (nodes, fields, fields)))
    for e in range(count):
        inputs = [own, *used]
        slopes = _diagonals(equations[:, e], [i.values for i in inputs])
        for dependence, slope in zip(inputs, slopes, strict=True):
            if slope is not None:
                total = total + _scaled(dependence, slope, e, count, fields, shape)
    return total


def _diagonals(r: Tensor, inputs: list[Tensor]) -> list[Floats | None]:
    """dr[i] / d input[i] for every input, (n, components); None where r does not depend on it."""
    if not r.requires_grad:
        return [None] * len(inputs)
    gradients = torch.autograd.grad(r.sum(), inputs, allow_unused=True, retain_graph=True)
    return [None if g is None else g.reshape(len(g), -1).cpu().numpy() for g in gradients]


def _scaled(
    dependence: _Dependence, slope: Floats, e: int, count: int, fields: int, shape: tuple[int, int]
) -> csr_array:
    """diag(slope) M diag(dv/du), placed at equation e and at every field."""
    entries = dependence.matrix.tocoo()
    i, j = entries.coords
    rows, columns, data = [], [], []
    for component in range(slope.shape[1]):
        for field in range(fields):
            inner = dependence.slopes[:, component, field]
            if np.any(inner):
                rows.append(i.astype(np.int64) * count + e)
                columns.append(j.astype(np.int64) * fields + field)
                data.append(slope[i, component] * entries.data * inner[j])
    if not data:
        return csr_array(shape)
    place = (np.concatenate(rows), np.concatenate(columns))
    return coo_array((np.concatenate(data), place), shape=shape).tocsr()


def _identity(field: Tensor) -> Floats:
    """dv/du of v = u, (nodes, fields, fields)."""
    fields = 1 if field.dim() == 1 else field.shape[1]
    return np.broadcast_to(np.eye(fields), (len(field), fields, fields))


def _slopes(columns: Tensor, field: Tensor) -> Floats:
    """dv/du of a pointwise v(u), (nodes, components, fields)."""
    fields = 1 if field.dim() == 1 else field.shape[1]
    found = [_diagonals(column, [field])[0] for column in columns.unbind(1)]
    return np.stack([np.zeros((len(field), fields)) if f is None else f for f in found], axis=1)
