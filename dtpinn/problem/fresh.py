"""The equation at points that are no nodes: does the discrete solution solve it there as well?

At the nodes a discrete solution leaves no residual, whatever it is worth. Between them it does:
what is left there, beside the size of the terms of the equation, tells a solution that follows the
data from one that wiggles through them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from dtpinn import rbffd
from dtpinn.arrays import Floats
from dtpinn.nodes import Nodes
from dtpinn.operators import MultiIndex, Operator, Space, Terms
from dtpinn.pde import Derivatives
from dtpinn.pde.arguments import Argument
from dtpinn.problem.discrete_system import DiscreteSystem
from dtpinn.problem.jacobian.linearize import in_double
from dtpinn.problem.pointwise import diagonals

Matrices = dict[MultiIndex, csr_array]

# Of the way from a node to its neighbour: not in the middle, where two stencils are as near.
PLACE = 0.4
# Points at most; of more every second, third, ... is taken. They are in the order of a curve.
MOST = 20_000
# Of the products that are added up: far above what a direct solve loses, far below any truncation.
ROUNDING = 1e-11
# Of an equation's size for the longest waves of the solution: what is left below moves the solution
# by less than a thousandth, even where all terms of this one equation vanish.
NEGLIGIBLE = 1e-3


@dataclass(frozen=True)
class FreshResidual:
    """What a discrete solution leaves of the equation between the nodes.

    Attributes
    ----------
    points : (m, d) array
    residual : (m, equations) array
    size : (m, equations) array
        Sum of the sizes of the equation's terms: every partial derivative for itself, so that it is
        a measure where they cancel as well.
    rounding : (m, equations) array
        What rounding alone may leave, of a solution whose terms are all zero, say.
    usual : (equations,) array
        Size of each equation for the longest waves, as large as the solution's.
    volume : (m,) array
        That each point stands for.
    """

    points: Floats
    residual: Floats
    size: Floats
    rounding: Floats
    usual: Floats
    volume: Floats

    @property
    def share(self) -> float:
        """Integral of the residual beside that of the terms; of several equations the largest.

        Sizes, not squares: near a singular corner the residual is large for every discretisation,
        over an area that shrinks.
        """
        total = np.maximum(self.volume @ self.size, NEGLIGIBLE * self.usual * self.volume.sum())
        left = self.volume @ np.maximum(np.abs(self.residual) - self.rounding, 0.0)
        return float(np.max(left / np.where(total > 0.0, total, 1.0)))

    def worst(self, count: int) -> Floats:
        """Return the points with the largest residuals, (count, d), the worst first."""
        relative = np.abs(self.residual) / np.maximum(self.size.mean(axis=0), 1e-300)
        return np.asarray(self.points[np.argsort(-relative.max(axis=1))[:count]])


def fresh_residual(
    system: DiscreteSystem,
    u: Floats,
    rates: Sequence[Floats] = (),
    of: Callable[..., Tensor] | None = None,
) -> FreshResidual | None:
    """Return the residual of an equation between its nodes, in space-time at the last of its times.

    Parameters
    ----------
    system : DiscreteSystem
    u : (nodes,) or (nodes, fields) array on X~
    rates : sequence of arrays of the shape of u
        du/dt in space-time, and d2u/dt2 if some residual asks for it.
    of : callable, optional
        Another function (u, D, x[, t]) -> (m,) or (m, columns) of the same derivatives, instead of
        the equation.

    Returns
    -------
    FreshResidual or None
        None where the equation cannot be evaluated there: data known at the nodes only, or nodes
        that carry no stencils.
    """
    posed = system.posed
    nodes, equation = posed.nodes, posed.regions[0]
    if nodes.interior_count < 2:
        return None
    points = between(nodes)
    some = slice(None, None, -(-len(points) // MOST))
    points, volume = points[some], nodes.local_spacing[some] ** nodes.dimension
    alphas = {
        alpha
        for request in posed.requests
        if request.region == equation.name
        for alpha in request.operator.terms_at(Space(nodes.dimension))
    }
    try:
        matrices = _assembled(system, points, alphas)
        x = torch.tensor(points, device=posed.device)
        time = [] if posed.slices.steady else [x.new_tensor(posed.slices.last)]
        D = _FreshDerivatives(nodes, u, rates, matrices, x, time)
        here = D.here
        with in_double(posed.pde), torch.enable_grad():
            function = equation.function if of is None else of
            r = function(here, D, x, *(t.expand(len(x)) for t in time))
            columns = r[:, None] if r.dim() == 1 else r
            sizes = [_sizes(column, here, D) for column in columns.unbind(1)]
    except (ValueError, TypeError):
        return None
    residual = columns.detach().cpu().numpy()
    size, rounding = (np.stack(part, axis=1) for part in zip(*sizes, strict=True))
    usual = np.zeros(residual.shape[1]) if of is not None else _usual_sizes(system, u)
    return FreshResidual(points, residual, size, ROUNDING * rounding, usual, volume)


def _usual_sizes(system: DiscreteSystem, u: Floats) -> Floats:
    """Sizes of the equations for waves as long as the domain, by how much a solution varies.

    In a shear flow nothing is left of one momentum equation but errors: how small they are tell the
    other fields, by what they are expected to be beside each other.
    """
    count = system.posed.nodes.count
    on_x = u[:count].reshape(count, -1)
    amplitude = float((np.ptp(on_x, axis=0) / system.units).max()) / 2.0
    return amplitude * system.equation_sizes(on_x.mean(axis=0))


def between(nodes: Nodes) -> Floats:
    """Points (m, d) between each node of X and the interior node nearest to it."""
    tree, x = nodes.cell.tree(nodes.interior), nodes.collocation
    near = tree.query(x, k=[2])[1][:, 0]
    if nodes.boundary_count:
        near[nodes.interior_count :] = tree.query(nodes.boundary)[1]
    return nodes.cell.wrap(x + PLACE * nodes.cell.difference(nodes.interior[near], x))


def _assembled(system: DiscreteSystem, points: Floats, alphas: set[MultiIndex]) -> Matrices:
    nodes = system.posed.nodes
    identity = (0,) * nodes.dimension
    named = {str(alpha): {alpha: 1.0} for alpha in sorted(alphas | {identity})}
    with warnings.catch_warnings():  # what there is to say of these stencils has been said
        warnings.simplefilter("ignore")
        built = rbffd.assemble(nodes, named, points, system.order, **system.options)
    return {alpha: built.matrices[str(alpha)] for alpha in alphas | {identity}}


def _sizes(column: Tensor, u: Tensor, D: _FreshDerivatives) -> tuple[Floats, Floats]:
    """Sizes of one equation's terms at its points, and of the products that they are sums of."""
    slopes = diagonals(column, [u, *(answer.values for answer in D.used)])
    own = np.abs(u.detach().cpu().numpy())
    answers = [(u, own, own), *D.used]
    known = column.detach().cpu().numpy().copy()
    size, products = np.zeros(len(known)), np.zeros(len(known))
    for (leaf, spread, sums), slope in zip(answers, slopes, strict=True):
        values = leaf.detach().cpu().numpy().reshape(slope.shape)
        known -= (slope * values).sum(axis=1)
        size += (np.abs(slope) * spread.reshape(slope.shape)).sum(axis=1)
        products += (np.abs(slope) * sums.reshape(slope.shape)).sum(axis=1)
    return size + np.abs(known), products


class _Answer(NamedTuple):
    """An operator's values (a leaf), the sizes of its terms, and of the products in them."""

    values: Tensor
    spread: Floats
    products: Floats


class _FreshDerivatives(Derivatives):
    """``D`` between the nodes, for an equation in the domain.

    Attributes
    ----------
    here : (m,) or (m, fields) Tensor
        The unknown at the points, a leaf.
    used : list of _Answer
    """

    def __init__(
        self,
        nodes: Nodes,
        u: Floats,
        rates: Sequence[Floats],
        matrices: Matrices,
        x: Tensor,
        time: list[Tensor],
    ) -> None:
        on_nodes = torch.tensor(nodes.extended).to(x)
        self.dimension = x.shape[1]
        self._u, self._rates, self._matrices = torch.tensor(u).to(x), rates, matrices
        self._at = (on_nodes, *(t.expand(len(on_nodes)) for t in time))
        self._value = matrices[(0,) * self.dimension]
        self.here = torch.from_numpy(self._value @ u).to(x).requires_grad_()
        self.used: list[_Answer] = []
        self.state = (self.here, x, *(t.expand(len(x)) for t in time))

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        """Return an operator's values as a leaf, and note the sizes of its terms."""
        if operator.where is not None:
            raise TypeError("what is at another place is not known between the nodes")
        values = self._u if isinstance(of, Tensor) else of(self._u, *self._at)
        nodal = values.detach().cpu().numpy()
        return self._answer(operator.terms_at(Space(self.dimension)), nodal)

    def rate(self, of: Argument, order: int) -> Tensor:
        """Return a rate, which is known of the unknown itself."""
        if len(self._rates) < order or not isinstance(of, Tensor):
            raise TypeError("the rate of a function of the unknown is not known between the nodes")
        return self._answer({(0,) * self.dimension: 1.0}, self._rates[order - 1])

    def _answer(self, terms: Terms, nodal: Floats) -> Tensor:
        parts = [c * (self._matrices[alpha] @ nodal) for alpha, c in terms.items()]
        z = torch.from_numpy(np.sum(parts, axis=0)).to(self.here).requires_grad_()
        products = [abs(c * self._matrices[alpha]) @ np.abs(nodal) for alpha, c in terms.items()]
        self.used.append(_Answer(z, np.abs(parts).sum(axis=0), np.sum(products, axis=0)))
        return z
