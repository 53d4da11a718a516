"""The DT-PINN: the residuals of an equation with spatial derivatives as one sparse product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dtpinn.nodes import Nodes
from dtpinn.pde import PDE, Operator
from dtpinn.problem.arrangement import Corners, Ghosts, arrange, sides_at
from dtpinn.problem.compare import Comparison, compare
from dtpinn.problem.curve import Product, curve_through, make_product
from dtpinn.problem.description import Description, describe
from dtpinn.problem.direct.method_of_lines import integrate
from dtpinn.problem.direct.newton import solve_newton
from dtpinn.problem.direct.square_system import starting_values
from dtpinn.problem.estimate import Estimate, estimate
from dtpinn.problem.field import Field, StencilDerivatives
from dtpinn.problem.interpolate import interpolate
from dtpinn.problem.jacobian.discrete_residuals import DiscreteResiduals
from dtpinn.problem.jacobian.linearize import Linearization, Linearizer
from dtpinn.problem.matrices import Matrices, OwnName, assemble_matrices, key_of, read_ghosts
from dtpinn.problem.problem import Model, Problem
from dtpinn.problem.regions import Region, pde_region, repeat
from dtpinn.problem.trust import check_solution
from dtpinn.rbffd import Options

MEETING = "pde where sides meet"
"""The region of the equation where it gives way to the conditions of several sides."""


class DiscreteProblem(Problem):
    """The residuals of an equation with spatial derivatives by sparse products, in fp64.

    Made by :func:`dtpinn.discretize`. The model is evaluated once, on X~ = interior | boundary |
    ghost, at all times; one product of the stacked matrices with those values, one column per time
    and field, then serves every derivative of every residual.

    Attributes
    ----------
    order : int
        The order p of the discretisation.
    options : dict
        Of the assembly.
    matrices : Matrices
        The same operators as SciPy matrices, with their conditioning.
    stacked : CSR or CurveProduct
        All matrices that act on the unknown itself, one below the other: ``stacked(u)`` takes
        values on X~ in the order of the nodes. Of scattered nodes it is stored along a curve.
    """

    extended_points: Tensor
    extended_time: Tensor | None

    @torch.inference_mode(False)
    def __init__(
        self,
        pde: PDE,
        nodes: Nodes,
        order: int,
        times: Tensor | Sequence[float] | None,
        dtype: torch.dtype,
        operators: Mapping[OwnName, Any] | None,
        options: Options,
        *,
        ghosts: Ghosts = "auto",
        corners: Corners = "auto",
    ) -> None:
        if ghosts == "auto" and read_ghosts(nodes, operators):
            ghosts = "all"
        super().__init__(pde, nodes, times, dtype, corners, partial(arrange, ghosts=ghosts))
        self.order, self._given, self._ghosts = order, nodes, ghosts
        self._operators, self.options = operators, options
        self._linearizer: Linearizer | None = None
        self.meeting = self._where_sides_meet()
        self.matrices, self._matrices_to_solve = self._assemble()
        extended = self.nodes.extended
        count = 1 if self.times is None else len(self.times)
        self.register_buffer("extended_points", repeat(extended, count, dtype))
        time = None if self.times is None else self.times.to(dtype).repeat(len(extended))
        self.register_buffer("extended_time", time)
        self.stacked: Product | None
        self._make_products()

    def _where_sides_meet(self) -> Region | None:
        """The equation where it gave way to several conditions, for what those leave open."""
        equation, *conditions = self.regions
        several = np.flatnonzero(sides_at(self.nodes, conditions) > 1)
        rows = np.setdiff1d(several + self.nodes.interior_count, equation.rows)
        if not len(rows):
            return None
        return pde_region(self.pde, self.nodes, rows, self.times, self.dtype, MEETING)

    def _assemble(self) -> tuple[Matrices, Matrices]:
        """Matrices of the regions, and with those of the equation where sides meet."""
        equation, *conditions = self.regions
        arguments = self.requests, self.order, self._operators, self.options
        sturdy = self._ghosts != "all"
        if self.meeting is None:
            matrices = assemble_matrices(self.nodes, self.regions, *arguments, sturdy=sturdy)
            return matrices, matrices
        rows = np.concatenate([equation.rows, self.meeting.rows])
        both = pde_region(self.pde, self.nodes, rows, self.times, self.dtype)
        built = assemble_matrices(self.nodes, [both, *conditions], *arguments, sturdy=sturdy)
        return built.split(equation.name, len(equation.rows), MEETING)

    def linearizer(self, times: Tensor | None) -> Linearizer:
        """Return a linearisation for direct solves, at any times, without the initial condition.

        Where sides meet it has the equation as well, for what their conditions leave open.
        """
        regions = self.regions if self.meeting is None else [*self.regions, self.meeting]
        return Linearizer(self, regions, self._matrices_to_solve, times, initial=False)

    def _make_products(self) -> None:
        """Store the matrices as training multiplies with them: stacked, and along the curve."""
        order = curve_through(self.nodes)
        nodes_of = {region.name: region.rows for region in self.regions}
        stacked, self._rows = self.matrices.stack(self.requests)
        if stacked is None:
            self.stacked = None
        else:
            rows = [nodes_of[r.region] for r in self.requests if not r.of_function]
            self.stacked = make_product(stacked, np.concatenate(rows), order, self.dtype)
        # Operators that act on a function of the unknown are applied by themselves.
        self.single = nn.ModuleDict(
            {
                key_of(r.region, r.operator): make_product(
                    self.matrices.of(r.region, r.operator), nodes_of[r.region], order, self.dtype
                )
                for r in self.requests
                if r.of_function
            }
        )

    def residuals(self, model: Model) -> dict[str, Tensor]:
        """Return every residual by name, each (n,) or (n, equations), differentiable."""
        field = Field(self, model)
        result = {}
        for region in self.regions:
            D = StencilDerivatives(field, region)
            result[region.name] = region.function(D.u, D, *region.data)
        if self.times is not None:
            result["initial"] = self.pde.initial(field.initial(), self.initial_points)
        return result

    @torch.inference_mode(False)  # it differentiates, whatever the caller does with the result
    def linearize(self, u: np.ndarray, rate: np.ndarray | None = None) -> Linearization:
        """Return residuals and sparse Jacobians at nodal values on X~, in float64.

        Patterns are worked out at the first call and kept; see :class:`Linearization` for what
        stays the same object.

        Parameters
        ----------
        u : (nodes * times,) or (nodes * times, fields) array
            All times of the first node, then of the second; times = 1 for a steady problem.
        rate : array of the shape of u, in space-time only
            du/dt: what ``D.time(u)`` answers. The Jacobian in it comes apart.

        Raises
        ------
        ValueError
            If a shape is wrong, or the rate is missing or superfluous.
        """
        if self._linearizer is None or self._linearizer.device != self.device:
            in_time = self.times is not None
            self._linearizer = Linearizer(
                self, self.regions, self.matrices, self.times, initial=in_time
            )
        return self._linearizer(u, rate)

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
        return DiscreteResiduals(self, model)

    @torch.inference_mode(False)
    def solve(
        self, guess: Model | Tensor | np.ndarray | None = None, *, time_tolerance: float = 1e-10
    ) -> Tensor:
        """Solve the discrete system itself: the best that any training on it can reach.

        Newton's method on the nodal values, one sparse factorisation if the equation is linear.
        Where a boundary node has no ghost, its equation gives way to its boundary condition.

        In space-time, where a DT-PINN does not discretise the time, it is the semi-discrete
        solution: the same matrices in space, and time integrated to a tolerance, from the initial
        condition through the slices. See :func:`dtpinn.problem.integrate`, which also tells the
        error in time that was reached, and what a loss on slices leaves open.

        Parameters
        ----------
        guess : model or array, optional
            Where Newton starts: a function of the points, or values (n,) or (n, fields), in
            space-time (n * times[, fields]), on X~ or on X (each ghost then starts from its
            boundary node's). Zero by default. A nonlinear equation may have several solutions, and
            this chooses among them. In space-time only its first slice is used.
        time_tolerance : float
            In space-time: the error in time from slice to slice, relative in l2.

        Returns
        -------
        Tensor, (n,) or (n, fields), in space-time (n * times[, fields])
            The solution on X, one row for each of ``problem.points``, in float64.

        Raises
        ------
        ValueError
            If the system is not square.
        RuntimeError
            If Newton does not converge, the system is singular, or the tolerance is not reached.

        Warns
        -----
        NotResolved
            If the solution does not solve the equation between the nodes (in space-time at the
            last of the times), or stencils have huge weights; with the places.
        """
        if self.times is not None:
            trajectory = integrate(self, guess, time_tolerance)
            check_solution(self, trajectory.final, trajectory.final_rate)
            return trajectory.values
        u = solve_newton(self, starting_values(self, guess))
        check_solution(self, u)
        return torch.from_numpy(u[: self.nodes.count]).to(self.device)

    def interpolate(self, values: Tensor | np.ndarray, points: Tensor | np.ndarray) -> Tensor:
        """Return values on X, such as those of `solve`, at any points (m, d) of the domain.

        Differentiable in the values: see :func:`~dtpinn.problem.interpolate.interpolate`.

        Examples
        --------
        >>> import dtpinn
        >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1)
        >>> pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] * x[:, 1])
        >>> problem = dtpinn.discretize(pde, nodes, order=3)
        >>> problem.interpolate(problem.solve(), [[0.5, 0.5], [0.1, -0.2]]).round(decimals=6)
        tensor([ 0.2500, -0.0200], dtype=torch.float64)
        """
        return interpolate(self, values, points)

    @torch.inference_mode(False)
    def estimate(self, model: Model | Tensor) -> Estimate:
        """Return how wrong a model is, without knowing the solution: see :class:`Estimate`.

        Or how wrong values on X are, a row for each of ``problem.points``, such as `solve` returns.
        """
        return estimate(self, model)

    @torch.inference_mode(False)
    def compare(self, model: Model) -> Comparison:
        """Return the residuals by both kinds of derivative: see :class:`Comparison`. Print it.

        The strongest check of somebody's own matrices, and of a residual.
        """
        return compare(self, model)

    def describe(self) -> Description:
        """Return what has been built: operators, nonzeros, conditioning, memory. Print it."""
        return describe(self)

    @property
    def own_matrices(self) -> list[OwnName]:
        """Names of the operators that were given."""
        return list(self._operators or ())

    @property
    def has_own_matrices(self) -> bool:
        """Whether some operators were given, so that their order is not ours to change."""
        return bool(self._operators)

    def with_order(self, order: int, *, own_matrices: bool = True) -> DiscreteProblem:
        """Return the same problem with another order, and without given matrices if so wanted."""
        operators = self._operators if own_matrices else None
        made = DiscreteProblem(
            self.pde, self._given, order, self.times, self.dtype, operators, self.options,
            ghosts=self._ghosts, corners=self.corners,
        )  # fmt: skip
        made.set_weights(self.weight_choice)
        return made.to(self.device)

    def __getstate__(self) -> dict[str, Any]:
        """Copies make their own patterns when they are first linearised."""
        return {**self.__dict__, "_linearizer": None}

    def slice_of(self, region: str, operator: Operator) -> slice:
        """Return the rows of the common product that hold an operator on a region."""
        return self._rows[key_of(region, operator)]
