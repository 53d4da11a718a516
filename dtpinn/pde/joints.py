"""Joints: what holds across the interfaces of a body of several materials."""

from __future__ import annotations

import torch
from torch import Tensor

from dtpinn.pde.coefficients import Coefficient, at, checked
from dtpinn.pde.conditions import BoundaryCondition, Data
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.known import Known
from dtpinn.pde.material import Material
from dtpinn.pde.piecewise import Pieces


class Across:
    """The map from one side of an interface to the other, of pieces that are laid apart.

    Parameters
    ----------
    body : Subdomains
    name, other : str
        From which piece, and to which.
    """

    def __init__(self, body: Pieces, name: str, other: str) -> None:
        here, there = (body.names.index(piece) for piece in (name, other))
        self._shift = body.offsets[there] - body.offsets[here]
        self.__name__ = f"{other}'s side"

    def __call__(self, x: Tensor) -> Tensor:
        """Return the other side's points (n, d) of points x (n, d)."""
        return x + torch.as_tensor(self._shift, dtype=x.dtype, device=x.device)


class SameValue(BoundaryCondition):
    """``u - u_other = g`` on the interface, on one of its sides.

    Parameters
    ----------
    body : Subdomains
    name, other : str
        The piece on whose side it holds, the part "name|other", and the one beyond.
    g : callable, optional
        The jump, (x, normal) -> (n,) or (n, fields). None for 0.
    """

    def __init__(self, body: Pieces, name: str, other: str, g: Data | None = None) -> None:
        super().__init__(g)
        self.across = Across(body, name, other)

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the difference of the values."""
        return u - D.at(self.across).state[0]


class SameFlux(BoundaryCondition):
    """``k du/dn - k_other du_other/dn = g`` on the interface, with n outward of its own side.

    Parameters
    ----------
    body : Subdomains
    name, other : str
        The piece on whose side it holds, the part "name|other", and the one beyond.
    conductivity : float, nn.Parameter or callable
        k, a function of the points of the pieces laid apart: :class:`Piecewise`.
    g : callable, optional
        What the interface itself gives off, (x, normal) -> (n,). None for 0.
    """

    def __init__(
        self,
        body: Pieces,
        name: str,
        other: str,
        conductivity: Coefficient,
        g: Data | None = None,
    ) -> None:
        super().__init__(g)
        self.across = Across(body, name, other)
        self.conductivity = checked("SameFlux: conductivity", conductivity)
        self._places = Known(lambda x: self.across(x))

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the difference of the fluxes."""
        beyond = at(self.conductivity, u, self._places(x), *t) * D.at(self.across).normal(u)
        return at(self.conductivity, u, x, *t) * D.normal(u) - beyond


class SameTraction(BoundaryCondition):
    """``sigma n - sigma_other n = g`` on the interface of two elastic pieces.

    Parameters
    ----------
    body : Subdomains
    name, other : str
        The piece on whose side it holds, the part "name|other", and the one beyond.
    material : Material
        That of the equation, with moduli that are :class:`Piecewise`.
    g : callable, optional
        A force on the interface itself, (x, normal) -> (n, d). None for 0.
    """

    def __init__(
        self, body: Pieces, name: str, other: str, material: Material, g: Data | None = None
    ) -> None:
        super().__init__(g)
        self.across, self.material = Across(body, name, other), material

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the difference of the forces."""
        beyond = self.material.stress(u, D.at(self.across))
        return torch.einsum("nij,nj->ni", self.material.stress(u, D) - beyond, n)


def joints(body: Pieces, medium: Coefficient | Material) -> dict[str, BoundaryCondition]:
    """Return the conditions of perfect contact on every interface: by name of the parts.

    The unknown is the same on both sides, and the flux, or force, that leaves one enters the other.
    Two sides, two conditions: the value's holds on the side of the piece that is named first.

    Parameters
    ----------
    body : Subdomains
    medium : float, nn.Parameter or callable; or Material
        The equation's conductivity, or the material of an elastic body.

    Examples
    --------
    A wall of 1 m of brick and 0.2 m of wool, at 20 and -10 degrees. The heat that flows through it
    is 30 / (1 / 0.6 + 0.2 / 0.04) = 4.5 W/m^2, so that brick and wool meet at 12.5 degrees.

    >>> import dtpinn
    >>> from dtpinn.geometry import Interval, Subdomains
    >>> wall = Subdomains({"brick": Interval(0.0, 1.0), "wool": Interval(1.0, 1.2)})
    >>> k = dtpinn.pde.Piecewise(wall, {"brick": 0.6, "wool": 0.04})
    >>> warm = dtpinn.Dirichlet(lambda x, n: torch.full((len(x),), 20.0))
    >>> cold = dtpinn.Dirichlet(lambda x, n: torch.full((len(x),), -10.0))
    >>> sides = {"brick.left": warm, "wool.right": cold} | joints(wall, k)
    >>> nodes = dtpinn.place_nodes(wall, spacing=0.01)
    >>> pde = dtpinn.Poisson(None, sides, conductivity=k)
    >>> problem = dtpinn.discretize(pde, nodes)
    >>> problem.interpolate(problem.solve(), wall.apart([[1.0]])).round(decimals=6)
    tensor([12.5000], dtype=torch.float64)
    """
    held: dict[str, BoundaryCondition] = {}
    for name, other in body.interfaces:
        held[f"{name}|{other}"] = SameValue(body, name, other)
        held[f"{other}|{name}"] = (
            SameTraction(body, other, name, medium)
            if isinstance(medium, Material)
            else SameFlux(body, other, name, medium)
        )
    return held
