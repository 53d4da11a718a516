"""Newton's method on the discrete system: the floor under every training run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csc_array, vstack
from scipy.sparse.linalg import SuperLU, splu
from torch import Tensor

if TYPE_CHECKING:
    from dtpinn.problem.discrete import DiscreteProblem

Floats = NDArray[np.float64]

MAX_ITERATIONS = 50
# Relative reduction of the residual after which the last factorisation polishes to round-off.
_NEARLY = 1e-8


class _System:
    """All equations of a problem as one square system in the nodal values of X~."""

    def __init__(self, problem: DiscreteProblem) -> None:
        nodes, fields = problem.nodes, problem.pde.fields
        self._problem = problem
        self.shape = shape_of_values(problem)
        # Somebody's own matrices may not use the ghosts; then they are no unknowns.
        used = np.zeros(len(nodes.extended), dtype=bool)
        for matrix in problem.matrices.by_key.values():
            used[np.unique(matrix.indices)] = True
        used[: nodes.count] = True
        self._unknowns = _entries(np.flatnonzero(used), fields)
        # A boundary node without a ghost has one unknown, so it keeps one equation: its condition.
        with_ghost = nodes.ghost_of[used[nodes.count :]]
        without = np.setdiff1d(np.arange(nodes.boundary_count), with_ghost)
        self._keep = np.setdiff1d(np.arange(nodes.count), without + nodes.interior_count)

    def expand(self, unknowns: Floats) -> Floats:
        """Values on X~, (nodes,) or (nodes, fields), zero at ghosts that play no part."""
        u = np.zeros(int(np.prod(self.shape)))
        u[self._unknowns] = unknowns
        return u.reshape(self.shape)

    def restrict(self, u: Floats) -> Floats:
        """The unknowns among values on X~, flat."""
        return np.asarray(u.ravel()[self._unknowns])

    def __call__(self, unknowns: Floats) -> tuple[Floats, csc_array]:
        """Residuals and Jacobian."""
        at = self._problem.linearize(self.expand(unknowns))
        residuals, jacobians = [], []
        for name, residual in at.residuals.items():
            jacobian = at.jacobians[name]
            if name == "pde":
                jacobian = jacobian[_entries(self._keep, residual.shape[1])]
                residual = residual[self._keep]
            residuals.append(residual.ravel())
            jacobians.append(jacobian)
        r = np.concatenate(residuals)
        J = csc_array(vstack(jacobians, format="csc")[:, self._unknowns])
        if J.shape[0] != J.shape[1]:
            raise ValueError(
                f"the discrete system is not square: {J.shape[0]} equations for {J.shape[1]} "
                "unknowns. solve() needs one equation per field at every node of X and one "
                "condition per field at every node of the boundary"
            )
        return r, J


def _entries(rows: NDArray[np.integer], width: int) -> NDArray[np.integer]:
    """Positions of whole rows in a flattened array of `width` columns."""
    return np.asarray((rows[:, None] * width + np.arange(width)).ravel())


def shape_of_values(problem: DiscreteProblem) -> tuple[int, ...]:
    """Shape of nodal values on X~: (nodes,), or (nodes, fields) of a system."""
    nodes, fields = len(problem.nodes.extended), problem.pde.fields
    return (nodes,) if fields == 1 else (nodes, fields)


def starting_values(problem: DiscreteProblem, guess: Any) -> Floats:
    """Return values on X~ from a model, from values on X~ or X, or zeros from None."""
    nodes, shape = problem.nodes, shape_of_values(problem)
    if guess is None:
        return np.zeros(shape)
    if callable(guess):
        with torch.no_grad():
            guess = problem.evaluate(guess, problem.extended_points)
    if isinstance(guess, Tensor):
        guess = guess.detach().cpu().numpy()
    values = np.array(guess, dtype=np.float64)
    if values.shape == (nodes.count, *shape[1:]):
        ghosts = values[nodes.interior_count + nodes.ghost_of]
        values = np.concatenate([values, ghosts])
    if values.shape != shape:
        raise ValueError(
            f"guess must be a model, or values of shape {shape} on X~ or "
            f"{(nodes.count, *shape[1:])} on X, got {values.shape}"
        )
    return values


def solve_newton(problem: DiscreteProblem, start: Floats) -> Floats:
    """Return the nodal values on X~, (nodes,) or (nodes, fields).

    Full Newton steps, halved while they do not decrease the residual. A linear equation takes one
    factorisation; in every case the last one is used once more to polish.

    Raises
    ------
    RuntimeError
        If the matrix is singular or the residual cannot be reduced.
    """
    if problem.times is not None:
        problem.linearize(start)  # says why there is no system
    system = _System(problem)
    u = system.restrict(start)
    r, J = system(u)
    first = norm = float(np.linalg.norm(r))
    for iteration in range(MAX_ITERATIONS):
        if not np.isfinite(norm):
            raise RuntimeError(
                f"Newton: the residual is not finite after {iteration} iterations; check the "
                "known functions of the PDE, or start from a better guess"
            )
        if norm <= _round_off(J, u):
            return system.expand(u)
        factors = _factorise(J)
        u, r, J = _damped_step(system, u, factors.solve(-r), norm)
        norm = float(np.linalg.norm(r))
        if norm <= _NEARLY * first:
            polished = u + factors.solve(-r)
            better = np.linalg.norm(system(polished)[0]) <= norm
            return system.expand(polished if better else u)
    raise RuntimeError(
        f"Newton: no convergence after {MAX_ITERATIONS} iterations, the residual fell from "
        f"{first:.3g} to {norm:.3g}; start from a better guess"
    )


def _round_off(J: csc_array, u: Floats) -> float:
    """Size of the residual that rounding alone leaves: a few eps |J| |u|, in l2."""
    eps = np.finfo(np.float64).eps
    return float(4 * eps * np.linalg.norm(abs(J) @ np.abs(u)))


def _damped_step(
    system: _System, u: Floats, step: Floats, norm: float
) -> tuple[Floats, Floats, csc_array]:
    length = 1.0
    while length > 1e-6:
        trial = u + length * step
        r, J = system(trial)
        if np.linalg.norm(r) <= (1.0 - 1e-4 * length) * norm:  # false also for NaN
            return trial, r, J
        length /= 2.0
    raise RuntimeError(
        f"Newton: no step along the Newton direction reduces the residual {norm:.3g}; start from "
        "a better guess, or check that the equation is differentiable"
    )


def _factorise(J: csc_array) -> SuperLU:
    try:
        return splu(J)
    except RuntimeError as error:
        raise RuntimeError(
            "the discrete system is singular: the conditions do not determine the solution (pure "
            f"Neumann conditions leave a constant free, for instance) [{error}]"
        ) from error
