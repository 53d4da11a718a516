"""Incompressible flow: Stokes' equations, and those of Navier and Stokes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from dtpinn.arrays import Floats
from dtpinn.pde.coefficients import Constant, constant
from dtpinn.pde.conditions import BoundaryCondition, Dirichlet
from dtpinn.pde.corner_flow import CornerFlow
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.exact import Solution, initial_data
from dtpinn.pde.flow_conditions import Incompressible
from dtpinn.pde.forced import Boundary, Conditions, Forced, Source
from dtpinn.pde.known import Known
from dtpinn.pde.nearest import Nearest
from dtpinn.pde.on_parts import WHOLE
from dtpinn.pde.row_gradients import row_gradients
from dtpinn.pde.value_jumps import ValueJump

if TYPE_CHECKING:
    from typing_extensions import Self


STABLE = 2.0
"""How many times the usual rates of stabilised finite elements the divergence is damped.

Of 0 to 128 on flows in a cavity from Re 1 to 1000, orders 3 to 5, and behind a grid at Re 40:
smooth flows hardly notice. With a quarter, order 4 finds none in the cavity; with 4, none at Re 400
on 655 nodes; with more, the pressure oscillates on coarse nodes.
"""


class Stokes(Forced):
    """``[u_t] - viscosity Laplacian u + grad p = f``, ``div u = 0``: slow flow, steady or in time.

    The unknown is the velocity and the pressure, u (n, d + 1), with the names u, v, p in the plane
    and u, v, w, p in space; per unit of mass, so that the viscosity is the kinematic one.

    Posed with the divergence of the momentum equation in the place of ``div u = 0``, Poisson's
    equation for the pressure, and with ``div u = 0`` as a condition on the boundary, added to those
    given. Both say the same: the divergence then solves Laplace's equation with zeros around it (or
    the heat equation, in time). On one cloud for velocity and pressure the original system leaves
    waves of the pressure from node to node nearly free; this one does not (Gresho & Sani 1987,
    Int. J. Numer. Methods Fluids 7, 1111, on the conditions that it needs).

    The divergence inside is damped beside, ``Laplacian p - damping div u = div f``: equally right
    for every rate, and for large ones the continuity equation itself with a term that stabilises
    the pressure. What sets the rate is the distance h of the nodes, ``STABLE (2 |u| / h + 4
    viscosity / h^2)`` of Navier and Stokes and without u of Stokes, as with stabilised finite
    elements (Tezduyar 1991, Adv. Appl. Mech. 28, 1): with more the pressure oscillates.

    Where velocities that are given jump from one side of a corner to the other, as at the ends of a
    lid, the flow is singular, and stencils that reach over the jump would leak mass into it. But
    near the corner it is a known one: in the plane, and in steady problems, the matrices act on
    what is left of it (:class:`~dtpinn.pde.corner_flow.CornerFlow`).

    Parameters
    ----------
    viscosity : float or nn.Parameter
        Kinematic, length^2 / time, positive. A Parameter is unknown, and learnt.
    boundary : BoundaryCondition, list of them, or mapping of part name to these, optional
        d conditions everywhere, as a rule ``Dirichlet(g, field=("u", "v"))`` for the velocity,
        :class:`Outflow` or :class:`Slip`. Where the velocity is given on the whole boundary the
        pressure is free up to a constant: give ``constraints=[Mean(0.0, field="p")]``. None where
        all directions are periodic; a steady flow then keeps any mean velocity, and is given it,
        ``Mean(0.0, field="u")`` and so on; between periodic walls that let it slip that along them.
    f : sequence of numbers or callable, optional
        Force by mass, x (n, d) -> (n, d); in time (x, t). Written with torch functions: its
        divergence is needed, and found by automatic differentiation. None for 0.
    initial : sequence of numbers or callable, optional
        Velocity at the start, x (n, d) -> (n, d), in time; free of divergence. None for 0.
    dimension : 2 or 3
        d.
    damping : float, optional
        1 / time, at least 0; how fast what there is of a divergence decays. From the nodes by
        default.

    Examples
    --------
    Couette's flow between two plates, the upper of which moves:

    >>> import torch, dtpinn
    >>> from dtpinn.pde import Dirichlet, Outflow, Stokes
    >>> shear = Dirichlet(lambda x, n: torch.stack([x[:, 1], 0 * x[:, 1]], 1), field=("u", "v"))
    >>> pde = Stokes(1.0, {"left": shear, "right": Outflow(1.0), "*": shear})
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Rectangle((0, 0), (1, 1)), spacing=0.2)
    >>> problem = dtpinn.discretize(pde, nodes, order=2)
    >>> u = problem.solve()
    >>> exact = torch.stack([problem.points[:, 1], *torch.zeros(2, len(u)).double()], dim=1)
    >>> bool((u - exact).abs().max() < 1e-9)
    True
    """

    in_time = None

    def __init__(
        self,
        viscosity: Constant,
        boundary: Boundary | None = None,
        f: Source | None = None,
        initial: Source | None = None,
        *,
        dimension: int = 2,
        damping: float | None = None,
    ) -> None:
        name = type(self).__name__
        if dimension not in (2, 3):
            raise ValueError(f"{name}: dimension must be 2 or 3, got {dimension!r}")
        super().__init__(None, _incompressible(boundary), initial)
        self.fields = (*("u", "v", "w")[:dimension], "p")
        self.dimension, self.viscosity = dimension, constant(f"{name}: viscosity", viscosity)
        if damping is not None and not 0.0 <= float(damping) < float("inf"):
            raise ValueError(f"{name}: damping must be a rate of at least 0, got {damping!r}")
        self.damping = damping
        self._spacing: Known | None = None  # of the nodes; on_cloud tells
        self._corners: tuple[CornerFlow, ...] = ()  # on_jumps tells
        self.f = None if f is None else Known(_with_divergence(f, dimension))

    @classmethod
    def from_solution(  # type: ignore[override]
        cls,
        u: Solution,
        *,
        boundary: Boundary | None = None,
        start: float = 0.0,
        **coefficients: Any,
    ) -> Self:
        """Return the problem that a flow solves: force and data are computed from it by autograd.

        Parameters
        ----------
        u : callable
            Velocity and pressure, x (n, d) -> (n, d + 1), written with torch functions; (x, t) in
            time. The velocity should be free of divergence.
        boundary : BoundaryCondition, list of them, or mapping, optional
            Without their data. The velocity on the whole boundary by default.
        start : float
            The first of the times, that of the initial values.
        **coefficients
            ``viscosity``, and ``dimension`` in space.
        """
        d = coefficients.get("dimension", 2)
        given = Dirichlet(field=tuple(range(d))) if boundary is None else boundary
        pde = super().from_solution(u, boundary=given, start=start, **coefficients)
        pde._by_default = boundary is None
        return pde

    def begin_as(self, u: Solution, start: float) -> None:
        """Take the velocity at the start from a known solution."""
        begun = initial_data(u, start)
        self.u0 = Known(lambda x: begun(x)[:, : self.dimension])

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return the momentum equation's left side, and its divergence less the damping."""
        d = self.dimension
        if D.dimension != d:
            raise ValueError(
                f"{type(self).__name__}: made for {d} dimensions, and the nodes are in "
                f"{D.dimension}; give dimension={D.dimension}"
            )
        gradient, laplacian = self._gradient(u, D, x), self._laplacian(u, D, x)
        momentum = gradient[:, d] - self.viscosity * laplacian[:, :d]
        if t:
            momentum = momentum + D.time(u)[:, :d]
        divergence = torch.einsum("nii->n", gradient[:, :d])
        pressure = laplacian[:, d] - self._rate(u, x) * divergence
        return torch.cat([momentum, pressure[:, None]], dim=1)

    def on_cloud(self, points: Floats, spacing: Floats) -> Self:
        """Return a copy that damps the divergence as these nodes want it."""
        posed = copy.copy(self)
        posed._spacing = Known(Nearest(points, spacing))
        return posed

    def on_jumps(self, jumps: Sequence[ValueJump]) -> Self:
        """Return a copy that knows the flow at corners where velocities jump."""
        steps = [np.diff(jump.values[:, :2], axis=0)[0] for jump in jumps]
        told = zip(jumps, steps, strict=True)
        corners = [CornerFlow(jump) for jump, step in told if np.isfinite(step).all()]
        if not corners or self.dimension != 2:
            return self
        posed = copy.copy(self)
        posed._corners = tuple(corners)
        on = (c.beside(corners) if isinstance(c, Incompressible) else c for c in self.on)
        posed._modules = {**self._modules, "on": nn.ModuleList(on)}
        return posed

    def implied(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> tuple[Tensor, Tensor]:
        """Return the velocity's divergence, which no equation in the domain holds, and gradient."""
        gradient = self._gradient(u, D, x)[:, : self.dimension]
        return torch.einsum("nii->n", gradient), torch.linalg.matrix_norm(gradient)

    def _gradient(self, u: Tensor, D: Derivatives, x: Tensor) -> Tensor:
        """Of velocity and pressure, (n, d + 1, d)."""
        gradient = D.gradient(u)
        for corner in self._corners:
            gradient = gradient + self._sized(corner.missed_gradient(D, x))
        return gradient

    def _laplacian(self, u: Tensor, D: Derivatives, x: Tensor) -> Tensor:
        """Of velocity and pressure, (n, d + 1)."""
        laplacian = D.laplacian(u)
        for corner in self._corners:
            laplacian = laplacian + self._sized(corner.missed_laplacian(D, x))
        return laplacian

    def _sized(self, flow: Tensor) -> Tensor:
        """With a pressure in the place of pressure / viscosity."""
        d = self.dimension
        return torch.cat([flow[:, :d], self.viscosity * flow[:, d:]], dim=1)

    def _rate(self, u: Tensor, x: Tensor) -> Tensor | float:
        """How fast a divergence decays, a constant for autograd: it is none of what is solved for.

        As the divergence vanishes, so does what the rate's own derivative would add.
        """
        if self.damping is not None:
            return self.damping
        if self._spacing is None:
            return 0.0
        h = self._spacing(x)
        return STABLE * (2 * self._speed(u) / h + 4 * self.viscosity / h**2).detach()

    def _speed(self, u: Tensor) -> Tensor:
        """What carries the velocity: nothing."""
        return u.new_zeros(())

    def initial(self, u: Tensor, D: Derivatives, x: Tensor) -> Tensor:
        """Return velocity - u_0 at the first of the times; the pressure has no initial value."""
        velocity = u[:, : self.dimension]
        return velocity if self.u0 is None else velocity - self.u0(x)


class NavierStokes(Stokes):
    """``[u_t] + (u·grad) u - viscosity Laplacian u + grad p = f``, ``div u = 0``.

    Everything else is as of :class:`Stokes`. Where Newton's method does not converge from rest,
    give ``solve(guess)`` the flow at a lower Reynolds number.

    Examples
    --------
    Kovasznay's flow behind a grid at Re 40, which nothing has to force:

    >>> import math, torch
    >>> k = 20 - math.sqrt(400 + 4 * math.pi**2)
    >>> def kovasznay(x):
    ...     e, y = torch.exp(k * x[:, 0]), 2 * math.pi * x[:, 1]
    ...     u, v = 1 - e * torch.cos(y), k / (2 * math.pi) * e * torch.sin(y)
    ...     return torch.stack([u, v, -(e**2) / 2], dim=1)
    >>> pde = NavierStokes.from_solution(kovasznay, viscosity=1 / 40)
    >>> x = torch.rand(5, 2, dtype=torch.float64)
    >>> bool(pde.f(x).abs().max() < 1e-11)
    True
    """

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return those of Stokes with (u·grad) u, and its divergence beside the pressure's."""
        d = self.dimension
        slow = super().operator(u, D, x, *t)
        gradient = self._gradient(u, D, x)[:, :d]
        carried = torch.einsum("nij,nj->ni", gradient, u[:, :d])
        # div (u·grad) u, less u . grad (div u), which is zero.
        turned = torch.einsum("nij,nji->n", gradient, gradient)
        return slow + torch.cat([carried, turned[:, None]], dim=1)

    def _speed(self, u: Tensor) -> Tensor:
        """The velocity itself."""
        return u[:, : self.dimension].square().sum(dim=1).sqrt()


def _incompressible(boundary: Boundary | None) -> Mapping[str, Conditions] | None:
    """The conditions by part, and ``div u = 0`` with those of every part."""
    if boundary is None:
        return None
    by_part = boundary if isinstance(boundary, Mapping) else {WHOLE: boundary}
    return {
        part: [*([given] if isinstance(given, BoundaryCondition) else given), Incompressible()]
        for part, given in by_part.items()
    }


def _with_divergence(f: Source, dimension: int) -> Callable[..., Tensor]:
    """The sources of all equations, (n, d + 1): a force and its divergence."""
    given = Known(f)

    def sources(x: Tensor, *t: Tensor) -> Tensor:
        with torch.enable_grad():
            at = x.detach().requires_grad_()
            force = given(at, *t).expand(len(x), dimension)
            columns = [row_gradients(force[:, k], at)[:, k] for k in range(dimension)]
        return torch.cat([force, torch.stack(columns).sum(0)[:, None]], dim=1).detach()

    return sources
