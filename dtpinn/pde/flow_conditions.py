"""Conditions on the boundary of a flow: incompressibility, outflow, slip."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dtpinn.pde.coefficients import Constant, constant
from dtpinn.pde.conditions import BoundaryCondition, Data
from dtpinn.pde.corner_flow import CornerFlow
from dtpinn.pde.derivatives import Derivatives

if TYPE_CHECKING:
    from typing_extensions import Self


class Incompressible(BoundaryCondition):
    """``div u = g`` on the boundary, of the first d fields.

    What makes a flow that solves Poisson's equation for the pressure an incompressible one:
    :class:`~dtpinn.pde.Stokes` and :class:`~dtpinn.pde.NavierStokes` add it to every part.

    Examples
    --------
    >>> Incompressible()
    Incompressible()
    """

    _corners: tuple[CornerFlow, ...] = ()

    def beside(self, corners: Sequence[CornerFlow]) -> Self:
        """Return the same condition for a flow that jumps at corners."""
        result = copy.copy(self)
        result._corners = tuple(corners)
        return result

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return div u, (n,)."""
        gradient = D.gradient(u)
        for corner in self._corners:
            gradient = gradient + corner.missed_gradient(D, x)
        return torch.einsum("nii->n", gradient[:, : D.dimension])


class Outflow(BoundaryCondition):
    """``viscosity du/dn - p n = g``: the end of a channel, where nothing holds the flow back.

    The condition that a weak formulation leaves of its own ("do nothing"); it fixes the pressure as
    well. Poiseuille's flow fulfils it with g = 0, p = 0 at the end.

    Parameters
    ----------
    viscosity : float or nn.Parameter
        That of the equation.
    g : sequence of numbers or callable, optional
        (x (n, d), normal (n, d)) -> (n, d), (length / time)^2. None for 0.

    Examples
    --------
    >>> from dtpinn.pde import Dirichlet
    >>> channel = {"right": Outflow(0.01), "*": Dirichlet((0.0, 0.0), field=("u", "v"))}
    """

    def __init__(self, viscosity: Constant, g: Data | None = None) -> None:
        super().__init__(g)
        self.viscosity = constant("Outflow: viscosity", viscosity)

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return viscosity du/dn - p n, (n, d)."""
        d = D.dimension
        return self.viscosity * D.normal(u)[:, :d] - u[:, d, None] * n


class Slip(BoundaryCondition):
    """``u·n = g_1`` and no friction: a wall along which the flow slides, a plane of symmetry.

    The tangential parts of (grad u + grad u^T) n are the other d - 1 columns.

    Parameters
    ----------
    g : sequence of numbers or callable, optional
        (x (n, d), normal (n, d)) -> (n, d). None for 0.

    Examples
    --------
    >>> Slip()
    Slip()
    """

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return u . n and the strain rate along each tangent, (n, d)."""
        d = D.dimension
        gradient = D.gradient(u)[:, :d]
        pull = torch.einsum("nij,nj->ni", gradient + gradient.mT, n)
        columns = [(u[:, :d] * n).sum(1), *((pull * tangent).sum(1) for tangent in _tangents(n))]
        return torch.stack(columns, dim=1)


def _tangents(n: Tensor) -> list[Tensor]:
    """One unit vector perpendicular to each normal in the plane, two in space."""
    if n.shape[1] == 2:
        return [torch.stack([-n[:, 1], n[:, 0]], dim=1)]
    # Across the axis that the normal is least along, so that the product does not vanish.
    axis = torch.nn.functional.one_hot(n.abs().argmin(dim=1), 3).to(n)
    first = torch.nn.functional.normalize(torch.linalg.cross(n, axis), dim=1)
    return [first, torch.linalg.cross(n, first)]
