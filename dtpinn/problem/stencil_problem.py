"""StencilProblem: the residuals of an equation with spatial derivatives as one sparse product."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dtpinn.problem.curve import Product
from dtpinn.problem.discrete_system import DiscreteSystem
from dtpinn.problem.exact_twin import exact_twin
from dtpinn.problem.field import Field, FieldAtStart, StencilDerivatives
from dtpinn.problem.jacobian.corrected_residuals import CorrectedResiduals
from dtpinn.problem.jacobian.discrete_residuals import DiscreteResiduals
from dtpinn.problem.jacobian.linearize import Linearization, Linearizer
from dtpinn.problem.matrices import Matrices
from dtpinn.problem.problem import Model, Problem
from dtpinn.problem.products import Products
from dtpinn.problem.time_slices import with_time
from dtpinn.rbffd import Options


class StencilProblem(Problem):
    """What training sees of a discrete problem: residuals, and their Jacobians in nodal values.

    The model is evaluated once, on X~ = interior | boundary | ghost, at all times; one product of
    the stacked matrices with those values, one column per time and field, then serves every
    derivative of every residual.

    Attributes
    ----------
    system : DiscreteSystem
        The same without a model: what is solved and differentiated.
    products, products_at_start : Products
        What a step multiplies with, at all times and at the first for the initial condition.
    extended_points : Tensor, (nodes * times, d)
        X~, node-major.
    extended_time : Tensor, (nodes * times,), or None for a steady problem
    """

    extended_points: Tensor
    extended_time: Tensor | None

    @torch.inference_mode(False)
    def __init__(self, system: DiscreteSystem) -> None:
        posed = system.posed
        super().__init__(posed)
        self.system = system
        self._meeting = system.meeting  # to follow the problem to its device
        self._linearizer: Linearizer | None = None
        extended = torch.tensor(posed.nodes.extended, dtype=posed.dtype)
        self.register_buffer("extended_points", posed.slices.repeat(extended))
        self.register_buffer("extended_time", posed.slices.spread(extended))
        self.products, self.products_at_start = (
            Products(posed.nodes, posed.nodal, requests, system.matrices, posed.dtype)
            for requests in (posed.requests, posed.requests_at_start)
        )

    @property
    def order(self) -> int:
        """The order p of the discretisation."""
        return self.system.order

    @property
    def options(self) -> Options:
        """Of the assembly."""
        return self.system.options

    @property
    def matrices(self) -> Matrices:
        """The operators as SciPy matrices, with their conditioning."""
        return self.system.matrices

    @property
    def stacked(self) -> Product | None:
        """All matrices that act on the unknown itself, one on top of the other."""
        return self.products.stacked

    def inputs(self) -> Tensor:
        """X~ as the model takes it, at all times."""
        return with_time(self.extended_points, self.extended_time)

    def residuals(self, model: Model) -> dict[str, Tensor]:
        """Return every residual by name, each (n,) or (n, equations), differentiable."""
        unknown = partial(self.evaluate, model)
        x, t = self.extended_points, self.extended_time
        with_rate = partial(self.evaluate_with_rate, model) if self.posed.takes_one_rate else None
        field = Field(self.products, self.posed.slices, x, t, unknown, with_rate)
        result = {}
        for region in self.posed.nodal:
            at_start = region is self.posed.initial
            here = FieldAtStart(field, self.products_at_start) if at_start else field
            D = StencilDerivatives(here, region)
            result[region.name] = region.residual(D.u, D)
        return {**result, **self.data_residuals(model)}

    @torch.inference_mode(False)  # it differentiates, whatever the caller does with the result
    def linearize(self, u: np.ndarray, *rates: np.ndarray) -> Linearization:
        """Return residuals and sparse Jacobians at nodal values on X~, in float64.

        Patterns are worked out at the first call and kept; see :class:`Linearization` for what
        stays the same object.

        Parameters
        ----------
        u : (nodes * times,) or (nodes * times, fields) array
            All times of the first node, then of the second; times = 1 for a steady problem.
        *rates : arrays of the shape of u, in space-time only
            du/dt, what ``D.time(u)`` answers, and d2u/dt2 where a residual asks for
            ``D.time(u, 2)``. The Jacobians in them come apart.

        Raises
        ------
        ValueError
            If a shape is wrong, or a rate is missing or superfluous.
        """
        if self._linearizer is None or self._linearizer.device != self.device:
            self._linearizer = self.system.linearizer()
        return self._linearizer(u, *rates)

    def least_squares(self, model: nn.Module) -> DiscreteResiduals:
        """Return the weighted residuals of a model with their Jacobian in all that is learnt.

        For ``dtpinn.optim.GaussNewton``, whose ``step`` takes them; ``fit`` does it by itself. The
        sum of their squares is `loss`.

        Examples
        --------
        >>> import torch, dtpinn
        >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
        >>> pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] * x[:, 1])
        >>> model = dtpinn.MLP(2, width=20, depth=1, seed=0)
        >>> residuals = dtpinn.discretize(pde, nodes).least_squares(model)
        >>> optimizer = dtpinn.optim.GaussNewton(residuals.parameters, max_iterations=20)
        >>> loss = optimizer.step(residuals)  # before the step
        >>> bool(residuals.residual().square().sum() < 1e-3 * loss)
        True
        """
        return DiscreteResiduals(self, self.linearize, self.inputs, model)

    def corrected_least_squares(self, model: nn.Module) -> CorrectedResiduals:
        """Return the same with exact residuals, and the Jacobian that the matrices give.

        For ``dtpinn.optim.DefectCorrection``; ``fit`` does it by itself.

        Raises
        ------
        ValueError
            On periodic nodes, for a model that is not periodic.

        Examples
        --------
        >>> import torch, dtpinn
        >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
        >>> pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] * x[:, 1] ** 3)
        >>> problem, model = dtpinn.discretize(pde, nodes, order=2), dtpinn.MLP(2, seed=0)
        >>> exact = problem.corrected_least_squares(model).residual().square().sum()
        >>> bool(torch.isclose(exact, dtpinn.vanilla(pde, nodes, collocation="all").loss(model)))
        True
        """
        return CorrectedResiduals(self.least_squares(model), exact_twin(self, model), model)

    def __getstate__(self) -> dict[str, Any]:
        """Copies make their own patterns when they are first linearised."""
        return {**self.__dict__, "_linearizer": None}
