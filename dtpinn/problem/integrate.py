"""integrate: the semi-discrete solution of a space-time problem, with what it took."""

from __future__ import annotations

from typing import Any

from dtpinn.problem.direct.method_of_lines import Trajectory
from dtpinn.problem.discrete_problem import DiscreteProblem


def integrate(
    problem: DiscreteProblem, guess: Any = None, time_tolerance: float = 1e-10
) -> Trajectory:
    """Return the semi-discrete solution at the slices of a space-time problem.

    Radau IIA of order 9. From slice to slice the number of equal steps is doubled until the result
    no longer changes by more than the tolerance; a linear equation with constant coefficients on
    equidistant slices is factorised once for each length of step. Fields without a rate, of which
    the initial condition says nothing, follow from the equations at the first of the times as well.

    Parameters
    ----------
    problem : DiscreteProblem
        In space-time.
    guess : model or array, optional
        As of :meth:`DiscreteProblem.solve`: where the initial condition is solved from.
    time_tolerance : float
        Between two slices, relative in l2.

    Raises
    ------
    ValueError
        If the system is not square, or the initial condition leaves a field open.
    RuntimeError
        If it is singular, or the tolerance is not reached.

    Notes
    -----
    The loss alone does not determine a solution in time. It sees u and du/dt at the slices, and for
    functions in general the one is free of the other there: u = 0 with any du/dt between them, or
    values of another slope at every slice. It is the smoothness of a network that ties them, so the
    slices must be as close as the solution changes.

    Examples
    --------
    >>> import torch, dtpinn
    >>> class Decay(dtpinn.PDE):
    ...     def residual(self, u, D, x, t): return D.time(u) - 0.1 * D.laplacian(u) + u
    ...     def boundary(self, u, D, x, n, t): return D.normal(u)
    ...     def initial(self, u, D, x): return u - 1.0
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.3)
    >>> problem = dtpinn.discretize(Decay(), nodes, order=2, times=[0.0, 0.5, 1.0])
    >>> trajectory = integrate(problem)
    >>> bool(abs(trajectory.values[2] - torch.exp(torch.tensor(-1.0))) < 1e-6)
    True
    """
    if problem.times is None:
        raise ValueError("integrate: the problem is steady; solve() it")
    return problem.trajectory(guess, time_tolerance)
