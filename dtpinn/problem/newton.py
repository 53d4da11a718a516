"""Newton's method on the discrete system: the floor under every training run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, vstack
from scipy.sparse.linalg import SuperLU, splu

if TYPE_CHECKING:
    from dtpinn.problem.discrete import DiscreteProblem

Floats = NDArray[np.float64]

MAX_ITERATIONS = 50
# Relative reduction of the residual after which the last factorisation polishes to round-off.
_NEARLY = 1e-8


class _System:
    """All equations of a problem as one square system in the nodal values of X~."""

    def __init__(self, problem: DiscreteProblem) -> None:
        nodes = problem.nodes
        self._problem = problem
        self._shape = (len(nodes.extended),) + (problem.pde.fields,) * (problem.pde.fields > 1)
        # A boundary node without a ghost has one unknown, so it keeps one equation: its condition.
        without = np.setdiff1d(np.arange(nodes.boundary_count), nodes.ghost_of)
        self._keep = np.setdiff1d(np.arange(nodes.count), without + nodes.interior_count)

    def __call__(self, u: Floats) -> tuple[Floats, csc_array]:
        at = self._problem.linearize(u.reshape(self._shape))
        residuals, jacobians = [], []
        for name, residual in at.residuals.items():
            jacobian, equations = at.jacobians[name], residual.shape[1]
            if name == "pde":
                residual = residual[self._keep]
                rows = self._keep[:, None] * equations + np.arange(equations)
                jacobian = jacobian[rows.ravel()]
            residuals.append(residual.ravel())
            jacobians.append(jacobian)
        r, J = np.concatenate(residuals), vstack(jacobians, format="csc")
        if J.shape[0] != J.shape[1]:
            raise ValueError(
                f"the discrete system is not square: {J.shape[0]} equations for {J.shape[1]} "
                "unknowns. solve() needs one equation per field at every node of X and one "
                "condition per field at every node of the boundary"
            )
        return r, csc_array(J)

    def residual_norm(self, u: Floats) -> float:
        return float(np.linalg.norm(self(u)[0]))


def solve_newton(problem: DiscreteProblem, guess: Floats | None) -> Floats:
    """Return the nodal values on X~, (nodes,) or (nodes, fields).

    Full Newton steps, halved while they do not decrease the residual. A linear equation takes one
    factorisation; in every case the last one is used once more to polish.

    Raises
    ------
    RuntimeError
        If the matrix is singular or the residual cannot be reduced.
    """
    system = _System(problem)
    shape = (len(problem.nodes.extended),) + (problem.pde.fields,) * (problem.pde.fields > 1)
    if guess is not None and np.shape(guess) != shape:
        raise ValueError(f"guess must have shape {shape} (X~), got {np.shape(guess)}")
    u = np.zeros(np.prod(shape)) if guess is None else np.array(guess, dtype=float).ravel()
    r, J = system(u)
    first = norm = float(np.linalg.norm(r))
    for iteration in range(MAX_ITERATIONS):
        if not np.isfinite(norm):
            raise RuntimeError(
                f"Newton: the residual is not finite after {iteration} iterations; check the "
                "known functions of the PDE, or start from a better guess"
            )
        if norm == 0.0:
            break
        factors = _factorise(J)
        u, norm_new, (r, J) = _damped_step(system, u, factors.solve(-r), norm)
        if norm_new <= _NEARLY * first:
            polished = u + factors.solve(-r)
            u = polished if system.residual_norm(polished) <= norm_new else u
            break
        norm = norm_new
    else:
        raise RuntimeError(
            f"Newton: no convergence after {MAX_ITERATIONS} iterations, the residual fell from "
            f"{first:.3g} to {norm:.3g}; start from a better guess"
        )
    return u.reshape(shape)


def _damped_step(
    system: _System, u: Floats, step: Floats, norm: float
) -> tuple[Floats, float, tuple[Floats, csc_array]]:
    length = 1.0
    while length > 1e-6:
        trial = u + length * step
        r, J = system(trial)
        trial_norm = float(np.linalg.norm(r))
        if trial_norm <= (1.0 - 1e-4 * length) * norm:  # false also for NaN
            return trial, trial_norm, (r, J)
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
