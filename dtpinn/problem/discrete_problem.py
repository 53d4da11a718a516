"""DiscreteProblem: the DT-PINN, and what can be asked of it beside its loss."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.nodes import Nodes
from dtpinn.pde import PDE
from dtpinn.problem.arrangement import Corners, Ghosts, arrange
from dtpinn.problem.between_slices import Path
from dtpinn.problem.compare import Comparison, compare
from dtpinn.problem.complex_values import in_real_fields
from dtpinn.problem.constraint_place import Place
from dtpinn.problem.constraints import Constraint, constraint_regions
from dtpinn.problem.data import Data
from dtpinn.problem.description import Description, describe
from dtpinn.problem.direct.continuation import solve_steady
from dtpinn.problem.direct.defect import errors_by_defect
from dtpinn.problem.direct.method_of_lines import Trajectory, solve_in_time
from dtpinn.problem.direct.square_system import starting_values
from dtpinn.problem.discrete_system import assemble_system
from dtpinn.problem.estimate import Estimate, distances_of_fields, relative_distance
from dtpinn.problem.fresh import fresh_residual
from dtpinn.problem.interpolate import interpolate
from dtpinn.problem.matrices import OwnName, read_ghosts
from dtpinn.problem.measure import measure
from dtpinn.problem.posed import pose
from dtpinn.problem.problem import Model
from dtpinn.problem.regions import Region
from dtpinn.problem.smooth import Smooth
from dtpinn.problem.solution import Solution
from dtpinn.problem.stencil_problem import StencilProblem
from dtpinn.problem.trust import NotResolved, check_solution, not_implied
from dtpinn.rbffd import Options


class DiscreteProblem(StencilProblem):
    """The DT-PINN of an equation: to be trained, solved directly, and asked how good it is.

    Made by :func:`dtpinn.discretize`.
    """

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
        constraints: Sequence[Constraint] = (),
        data: Sequence[Data | Smooth] = (),
    ) -> None:
        if ghosts == "auto" and read_ghosts(nodes, operators):
            ghosts = "all"
        arrangement = partial(arrange, ghosts=ghosts)
        posed = pose(
            pde, nodes, times, dtype, corners, arrangement, constraints, data, order,
            by_stencils=True,
        )  # fmt: skip
        sturdy = ghosts != "all"
        super().__init__(assemble_system(posed, order, operators, options, sturdy=sturdy))
        self._sturdy = sturdy
        self._given, self._ghosts, self._operators = nodes, ghosts, operators
        self._constraints, self._data = constraints, data

    @torch.inference_mode(False)
    def solve(
        self, guess: Model | Tensor | np.ndarray | None = None, *, time_tolerance: float = 1e-10
    ) -> Solution:
        """Solve the discrete system itself: the best that any training on it can reach.

        Newton's method on the nodal values, one sparse factorisation if the equation is linear.
        Where a boundary node has no ghost, its equation gives way to its boundary condition.
        Constraints close what equation and conditions leave open, each with a multiplier: a source
        in the equation that is deficient, as small as the data are compatible. Data play no part.

        In space-time, where a DT-PINN does not discretise the time, it is the semi-discrete
        solution: the same matrices in space, and time integrated to a tolerance, from the initial
        condition through the slices. See :func:`dtpinn.problem.integrate`, which also tells the
        error in time that was reached, and what a loss on slices leaves open.

        Parameters
        ----------
        guess : model or array, optional
            Where Newton starts: a function of the points, or values (n,) or (n, fields), in
            space-time (n * times[, fields]), on X~ or on X (each ghost then starts from its
            boundary node's); a solution on other nodes is a function. Zero by default. A nonlinear
            equation may have several solutions, and this chooses among them. In space-time only its
            first slice is used.
        time_tolerance : float
            In space-time: the error in time from slice to slice, relative in l2.

        Returns
        -------
        Solution, a Tensor of shape (n,) or (n, fields), in space-time (n * times[, fields])
            Its values on X, one row for each of ``problem.points``, in float64. It is a function as
            well, ``u(points)``, and can be drawn, saved and compared.

        Raises
        ------
        ValueError
            If the system is not square, or determined without its constraints.
        RuntimeError
            If Newton does not converge, the system is singular, or the tolerance is not reached.

        Warns
        -----
        Incompatible
            If the data of a system that constraints complete do not balance, by more than 2%.
        NotResolved
            If the solution does not solve the equation between the nodes (in space-time at the
            last of the times), lacks what that implies, as a flow that loses mass does, or stencils
            have huge weights; with the places.
        """
        u, final, rates, path = self._solution(guess, time_tolerance)
        check_solution(self.system, final, rates)
        beyond = None if path else torch.from_numpy(final[self.nodes.count :])
        names = self.pde.field_names
        return Solution.on(u, self.nodes, self.order, self.times, names, path, beyond)

    def trajectory(
        self, guess: Model | Tensor | np.ndarray | None = None, time_tolerance: float = 1e-10
    ) -> Trajectory:
        """Return what `solve` does in space-time, and what it took.

        See :func:`dtpinn.problem.integrate`.
        """
        start = starting_values(self.posed, self._nodal(guess))
        return solve_in_time(self.system, start, time_tolerance)

    def _solution(
        self, guess: Model | Tensor | np.ndarray | None, time_tolerance: float = 1e-10
    ) -> tuple[Tensor, Floats, Sequence[Floats], Path | None]:
        """The solution on X, on X~ at its end, and in space-time its rates there and its path."""
        if self.times is not None:
            found = self.trajectory(guess, time_tolerance)
            return found.values, found.final, found.final_rates, found.path
        u = solve_steady(self.system, starting_values(self.posed, self._nodal(guess)))
        return torch.from_numpy(u[: self.nodes.count]).to(self.device), u, (), None

    def _nodal(self, guess: Model | Tensor | np.ndarray | None) -> Tensor | np.ndarray | None:
        """A guess as values: those of a model on X~."""
        function = self._function(guess)
        if function is None:
            return cast("Tensor | np.ndarray | None", guess)
        return self._values(function, self.inputs())

    def _values(self, function: Model, points: Tensor) -> Tensor:
        with torch.no_grad():
            return self.evaluate(function, points)

    def _function(self, model: object) -> Model | None:
        """A model as a function; None for values on X, and for a solution that is such values."""
        if isinstance(model, Solution):
            here = np.array_equal(model.nodes.collocation, self.nodes.collocation)
            return None if here else model
        return model if callable(model) and not isinstance(model, Tensor) else None

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
        return interpolate(self.posed, self.order, values, points)

    @torch.inference_mode(False)
    def measure(self, of: Model | Tensor, what: Constraint) -> Tensor:
        """Return a figure of a model or of values on X: what a constraint of that kind would hold.

        Parameters
        ----------
        of : model, or Tensor of values on X
            Such as `solve` returns. Of values that are no steady solution of this problem, those on
            ghosts are not known, and derivatives on the boundary by stencils of X alone.
        what : Mean, Integral, Flux or Pin
            Its own value plays no part.

        Returns
        -------
        Tensor, () or in space-time (times,)

        Raises
        ------
        TypeError, ValueError
            As of a constraint; or if it takes rates in time.

        Examples
        --------
        >>> import dtpinn
        >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1)
        >>> problem = dtpinn.discretize(dtpinn.Poisson(4.0, dtpinn.Dirichlet(1.0)), nodes)
        >>> bool((problem.measure(problem.solve(), dtpinn.Mean()) - 0.5).abs() < 1e-4)
        True
        """
        function, beyond = self._function(of), getattr(of, "beyond", None)
        if function is not None:
            values = self._values(function, self.inputs())
        elif beyond is None or len(beyond) != self.nodes.ghost_count:
            values = cast(Tensor, of).detach()
        else:
            values = torch.cat([cast(Tensor, of).detach(), beyond.to(self.device)])
        numbers = values.double().cpu().numpy()
        return measure(self.system, numbers, what, sturdy=self._sturdy).to(self.device)

    @torch.inference_mode(False)
    def estimate(self, model: Model | Tensor) -> Estimate:
        """Return how wrong a model is, without knowing the solution: see :class:`Estimate`.

        Or how wrong values on X are, a row for each of ``problem.points``, such as `solve` returns.
        """
        # From the model itself: a nonlinear equation may have several solutions, and the question
        # is how far the model is from the one that it approximates.
        solution, final, rates, _ = self._solution(model)
        fresh = fresh_residual(self.system, final, rates)
        if told := not_implied(self.system, final, rates):
            warnings.warn(f"estimate: {told}", NotResolved, stacklevel=2)
        other = None if self.has_own_matrices else self._with_order_or_none(self.order + 1)
        finer = None if other is None else other._solution(solution)[0]
        function = self._function(model)
        u = cast(Tensor, model) if function is None else self._values(function, self.points)
        u = u.detach().to(solution)
        return Estimate(
            relative_distance(self, u, solution),
            None if finer is None else relative_distance(self, solution, finer),
            None if fresh is None else fresh.share,
            distances_of_fields(self.pde.field_names, u, solution, finer),
            self._missed(model),
            None if (found := self._errors(function)) is None else max(found),
        )

    @property
    def tells_errors(self) -> bool:
        """Whether the error of a model can be told by its exact residual."""
        own = self.has_own_matrices
        return self.times is None and self.dtype == torch.float64 and not own

    @torch.inference_mode(False)
    def errors_by_defect(self, model: Model) -> tuple[float, float] | None:
        """Return the relative l2 error of a model by its exact residual, at the nodes and beside.

        See :func:`~dtpinn.problem.direct.defect.errors_by_defect`; two sparse solves. None where it
        is not to be had: in space-time, in float32, with matrices of somebody's own, of a model or
        an equation that cannot be differentiated anywhere.
        """
        return self._errors(model)

    def _errors(self, model: Model | None) -> tuple[float, float] | None:
        if model is None or not self.tells_errors:
            return None
        u = self._values(model, self.points)
        try:
            at_nodes, beside = (
                relative_distance(self, u, u - torch.from_numpy(e[: self.nodes.count]).to(u))
                for e in errors_by_defect(self.system, model, self._finer_constraints())
            )
        except (ValueError, TypeError, RuntimeError):
            return None
        return at_nodes, beside

    def _finer_constraints(self) -> list[Region]:
        """The constraints by weights of two orders more: those of one more err in the same way."""
        posed, order = self.posed, self.order + 2
        place = Place(self.nodes, order, posed.slices, self.dtype, self.pde.field_names)
        finer = constraint_regions(self._constraints, place)
        for region, own in zip(finer, posed.constraints, strict=True):
            region.name = own.name
            region.to(self.device)
        return finer

    def _missed(self, model: Model | Tensor) -> dict[str, float]:
        """By how much constraints are missed, at most; without those that take rates."""
        wanted = in_real_fields(self._constraints, self.pde.field_names, "value")
        found = {}
        for region, what in zip(self.posed.constraints, wanted, strict=True):
            if region.time_order:
                continue
            value = what.value(cast(Tensor, self.times)) if callable(what.value) else what.value
            found[region.name] = float((self.measure(model, what) - value).abs().max())
        return found

    @torch.inference_mode(False)
    def compare(self, model: Model) -> Comparison:
        """Return the residuals by both kinds of derivative: see :class:`Comparison`. Print it.

        The strongest check of somebody's own matrices, and of a residual.
        """
        own = self.has_own_matrices
        other = self._with_order_or_none(2 if own else self.order + 1)
        return compare(self, other, own, model)

    def describe(self) -> Description:
        """Return what has been built: operators, nonzeros, conditioning, memory. Print it."""
        return describe(self, self.system, self.products)

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
            ghosts=self._ghosts, corners=self.corners, constraints=self._constraints,
            data=self._data,
        )  # fmt: skip
        made.set_weights(self.weight_choice)
        return made.to(self.device)

    def _with_order_or_none(self, order: int) -> DiscreteProblem | None:
        """By RBF-FD of another order; None where the nodes carry no such stencils."""
        try:
            return self.with_order(order, own_matrices=False)
        except ValueError:  # too few, or two at one place
            return None
