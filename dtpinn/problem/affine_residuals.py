"""Residuals of a linear equation as one product: S u + c, weighted as the loss weighs them.

Where no residual of a steady problem is more than affine in the nodal values, their Jacobian S is a
constant. Then all operators of all residuals, with their coefficients and with the weights of the
loss, are one matrix, and a step of training is the network, one product and one sum of squares:
nothing is multiplied, cut or added up residual by residual, neither forward nor backward.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn

from dtpinn.arrays import Floats, Integers
from dtpinn.problem.curve import curve_through, make_product
from dtpinn.problem.jacobian.linearize import Linearization
from dtpinn.problem.jacobian.loss_scales import loss_scales
from dtpinn.problem.problem import Problem
from dtpinn.problem.stencil_problem import StencilProblem
from dtpinn.problem.weighted_squares import sum_of_squares

# Beyond so many entries the network takes 19 of 20 parts of a step, and S would double the memory.
_MOST_ENTRIES = 2_000_000
# What rounding may change of a row of S u + c, as a fraction of |S| |u| + |c|.
_ROUNDING = {torch.float64: 1e-9, torch.float32: 1e-4}
# States at which the residuals are compared, in sizes of the unknown.
_STATES = (1.0, 100.0)


class AffineResiduals:
    """The weighted residuals (m,) of a model, those of data after those of nodal values.

    Made by :func:`affine_residuals`, for a problem and a model as they are by then: whoever lets
    others change either asks `holds` afterwards.

    Attributes
    ----------
    matrix : (rows, nodes * fields) csr_array
        S, in float64; its rows are in the order of ``problem.residuals``.
    """

    def __init__(self, problem: StencilProblem, model: nn.Module, at_zero: Linearization) -> None:
        self._problem, self._model = problem, model
        self._scales = loss_scales(problem, model, problem.residuals(model))
        nodal = [region.name for region in problem.posed.nodal]
        roots = np.concatenate([self._scales[name].double().cpu().numpy() for name in nodal])
        offset = roots * np.concatenate([at_zero.residuals[name].ravel() for name in nodal])
        S = scipy.sparse.vstack([at_zero.jacobians[name] for name in nodal], format="csr")
        weighted = S.data * np.repeat(roots, np.diff(S.indptr))
        self.matrix = csr_array((weighted, S.indices, S.indptr), shape=S.shape)
        self._dtype, self._device = problem.dtype, problem.device
        self._offset = torch.from_numpy(offset).to(self._device, self._dtype)
        order = _columns_along_curve(problem)
        made = make_product(self.matrix, _columns_of_rows(problem), order, self._dtype)
        self._product = made.to(self._device)

    def __call__(self) -> Tensor:
        """Return the residuals, differentiable; the sum of their squares is the loss."""
        problem = self._problem
        u = problem.evaluate(self._model, problem.inputs())
        nodal: Tensor = self._product(u.reshape(-1)) + self._offset
        if not problem.posed.data:
            return nodal
        data = problem.data_residuals(self._model)
        apart = (self._scales[name] * r.reshape(-1) for name, r in data.items())
        return torch.cat([nodal, *apart])

    def loss(self) -> Tensor:
        """Return what ``problem.loss(model)`` is."""
        return sum_of_squares(self())

    @torch.no_grad()
    def holds(self) -> bool:
        """Whether the problem's own residuals, and their weights, still are these."""
        problem, model = self._problem, self._model
        if (problem.dtype, problem.device) != (self._dtype, self._device):
            return False
        if any(p.requires_grad for p in problem.pde.parameters()):
            return False
        residuals = problem.residuals(model)
        try:
            scales = loss_scales(problem, model, residuals)
        except ValueError:
            return False
        if not all(torch.equal(scales[name], scale) for name, scale in self._scales.items()):
            return False
        u = problem.evaluate(model, problem.inputs()).reshape(-1).double().cpu().numpy()
        wanted = torch.cat([scales[name] * r.reshape(-1) for name, r in residuals.items()])
        difference = (self() - wanted).double().cpu().numpy()[: len(self._offset)]
        offset = self._offset.double().cpu().numpy()
        return _negligible(difference, self.matrix, u, offset, _ROUNDING[self._dtype])


def affine_residuals(problem: Problem, model: nn.Module) -> AffineResiduals | None:
    """Return the residuals of a discrete problem as one product, or None where they are none.

    Where time, an unknown coefficient or a residual that somebody computes in another way comes in;
    where the equation is not linear, by its slopes and values at three states; where a loss is no
    weighted sum of squares; and where the problem is so large that it would save nothing.

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    >>> model = dtpinn.MLP(2, width=4, depth=1, seed=0)
    >>> linear = dtpinn.discretize(dtpinn.Poisson(1.0, dtpinn.Dirichlet()), nodes)
    >>> residuals = affine_residuals(linear, model)
    >>> bool(torch.isclose(residuals.loss(), linear.loss(model), rtol=1e-12))
    True
    >>> reaction = dtpinn.Poisson(1.0, dtpinn.Dirichlet(), reaction=torch.exp)
    >>> affine_residuals(dtpinn.discretize(reaction, nodes), model) is None
    True
    """
    if not isinstance(problem, StencilProblem) or not _may_be(problem):
        return None
    try:
        at_zero = _linear(problem)
        found = None if at_zero is None else AffineResiduals(problem, model, at_zero)
    except (ValueError, TypeError, RuntimeError):
        return None  # points are coupled, or the loss is another: the problem's own ways tell
    return found if found is not None and found.holds() else None


def _may_be(problem: StencilProblem) -> bool:
    """Whether it is as made here, at one time, with nothing to learn, and worth it."""
    as_made = {
        "residuals": StencilProblem.residuals,
        "loss": Problem.loss,
        "data_residuals": Problem.data_residuals,
    }
    if any(getattr(getattr(problem, k), "__func__", None) is not f for k, f in as_made.items()):
        return False
    learnt = any(p.requires_grad for p in problem.pde.parameters())
    entries = sum(matrix.nnz for matrix in problem.matrices.by_key.values())
    return problem.posed.slices.steady and not learnt and entries <= _MOST_ENTRIES


def _linear(problem: StencilProblem) -> Linearization | None:
    """The residuals at u = 0 if slopes and values elsewhere are those of a linear equation."""
    shape = problem.posed.nodal_shape
    at_zero = problem.linearize(np.zeros(shape))
    draws = np.random.default_rng(0)
    for size in _STATES:
        u = problem.scales.centre + size * problem.scales.unit * draws.standard_normal(
            (shape[0], problem.pde.field_count)
        )
        there = problem.linearize(u.reshape(shape))
        for name, S in at_zero.jacobians.items():
            if there.jacobians[name] is not S:
                return None
            offset = at_zero.residuals[name].ravel()
            difference = there.residuals[name].ravel() - offset - S @ u.ravel()
            if not _negligible(difference, S, u.ravel(), offset, _ROUNDING[torch.float64]):
                return None
    return at_zero


def _negligible(difference: Floats, S: csr_array, u: Floats, offset: Floats, of: float) -> bool:
    """Whether a difference of S u + offset is rounding; no for NaN."""
    size = abs(S) @ np.abs(u) + np.abs(offset)
    return bool((np.abs(difference) <= of * size).all())


def _columns_along_curve(problem: StencilProblem) -> Integers | None:
    order = curve_through(problem.nodes)
    if order is None:
        return None
    fields = problem.pde.field_count
    return np.asarray((order[:, None] * fields + np.arange(fields)).ravel())


def _columns_of_rows(problem: StencilProblem) -> Integers:
    """The column that each row of S belongs near to; the first for a sum over many."""
    found = []
    for region in problem.posed.nodal:
        nodes = region.rows if region.weights is None else np.zeros(1, dtype=np.int64)
        found.append(np.repeat(nodes, region.equations) * problem.pde.field_count)
    return np.concatenate(found)
