"""The wave equation: strings, membranes, sound."""

from __future__ import annotations

import torch
from torch import Tensor

from dtpinn.pde.coefficients import Coefficient, at, of_place
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.exact import Solution, initial_rate
from dtpinn.pde.forced import Boundary, Forced, Source
from dtpinn.pde.known import known


class Wave(Forced):
    """``u_tt - speed^2 Laplacian u = f``, with u_0 and the velocity v_0 at the start.

    Where the speed varies with the place it stands before the Laplacian: sound in a fluid of
    uniform density, a membrane or string of varying mass. A string of varying tension has
    ``div(T grad u)`` instead, which is a PDE of one's own with ``D.divergence``.

    Parameters
    ----------
    f : callable, number or None
        Source: (x (n, d), t (n,)) -> (n,); None for 0. Evaluated once per point set.
    boundary : BoundaryCondition, list of them, or mapping of part name to these
        The condition on the whole boundary, or one for every named part of it; its data and
        coefficients are functions of (x, normal, t). May be left out where all directions are
        periodic.
    initial : callable or number, optional
        u_0: x (n, d) -> (n,); None for 0.
    velocity : callable or number, optional
        v_0 = u_t at the start: x (n, d) -> (n,); None for rest.
    speed : float, nn.Parameter or callable
        c, length / time; a function of (x (n, d), t (n,)), or of x alone, to (n,). A Parameter is
        unknown, and learnt, and so is an ``nn.Module``.

    Examples
    --------
    A string plucked as its first mode has the period 2 length / speed:

    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.05)
    >>> mode = lambda x: torch.sin(torch.pi * x[:, 0])
    >>> pde = Wave(None, dtpinn.Dirichlet(), initial=mode, speed=2.0)
    >>> problem = dtpinn.discretize(pde, nodes, times=[0.0, 0.5, 1.0])
    >>> _, half, whole = problem.solve(time_tolerance=1e-8).reshape(-1, 3).T
    >>> bool((half + whole).abs().max() < 1e-3), round(float(whole.max()), 2)
    (True, 1.0)
    """

    in_time = True

    def __init__(
        self,
        f: Source | None,
        boundary: Boundary | None = None,
        initial: Source | None = None,
        velocity: Source | None = None,
        speed: Coefficient = 1.0,
    ) -> None:
        super().__init__(f, boundary, initial)
        self.v0 = known(velocity)
        self.speed = of_place("Wave: speed", speed)

    def begin_as(self, u: Solution, start: float) -> None:
        """Take the initial data from a known solution, its velocity too."""
        super().begin_as(u, start)
        self.v0 = known(initial_rate(u, start))

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return u_tt - speed^2 Laplacian u."""
        return D.time(u, 2) - at(self.speed, u, x, *t) ** 2 * D.laplacian(u)

    def initial(self, u: Tensor, D: Derivatives, x: Tensor) -> Tensor:
        """Return u - u_0 and u_t - v_0 at the first of the times."""
        rate = D.time(u)
        velocity = rate if self.v0 is None else rate - self.v0(x)
        return torch.stack([super().initial(u, D, x), velocity], dim=1)
