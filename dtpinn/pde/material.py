"""Isotropic linear elastic materials: stress from the gradient of the displacement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import torch
from torch import Tensor, nn

from dtpinn.pde.coefficients import Constant, constant
from dtpinn.pde.derivatives import Derivatives

Plane = Literal["strain", "stress"]


class Material(nn.Module, ABC):
    """``sigma = lambda div u I + mu (grad u + grad u^T)``, the same everywhere.

    Shared by an equation and the tractions on its boundary.
    """

    @abstractmethod
    def lame(self) -> tuple[Constant, Constant]:
        """Return lambda and mu as they enter the stress in the dimension of the problem."""

    def stress(self, u: Tensor, D: Derivatives) -> Tensor:
        """Return the stress tensor (n, d, d) of the displacement u (n, d)."""
        first, shear = self.lame()
        gradient = D.gradient(u)
        divergence = torch.einsum("nii->n", gradient)
        identity = torch.eye(D.dimension, dtype=u.dtype, device=u.device)
        return first * divergence[:, None, None] * identity + shear * (gradient + gradient.mT)


class Lame(Material):
    """A material by its Lame parameters, which enter the stress as they stand.

    In the plane that is plane strain; for plane stress give :class:`Young`.

    Parameters
    ----------
    first, shear : float or nn.Parameter
        lambda and mu, force / area. mu > 0 and 3 lambda + 2 mu > 0.

    Examples
    --------
    >>> Lame(1.0, 0.5)
    Lame(first=1.0, shear=0.5)
    """

    def __init__(self, first: Constant, shear: Constant) -> None:
        super().__init__()
        self.first, self.shear = constant("Lame: first", first), constant("Lame: shear", shear)

    def lame(self) -> tuple[Constant, Constant]:
        """Return lambda and mu."""
        return self.first, self.shear

    def extra_repr(self) -> str:
        """Show the parameters when printed."""
        return f"first={self.first}, shear={self.shear}"


class Young(Material):
    """A material by Young's modulus and Poisson's ratio.

    Parameters
    ----------
    young : float or nn.Parameter
        E > 0, force / area.
    poisson : float or nn.Parameter
        nu, above -1 and below 1/2, where the material would be incompressible.
    plane : "strain", "stress" or None
        What a problem in the plane is a section of: a long body that cannot extend along its axis
        (strain), or a thin plate that is free on both faces (stress). None in three dimensions.

    Examples
    --------
    >>> [round(p, 3) for p in Young(1.0, 0.25, plane="strain").lame()]
    [0.4, 0.4]
    >>> [round(p, 3) for p in Young(1.0, 0.25, plane="stress").lame()]
    [0.267, 0.4]
    """

    def __init__(self, young: Constant, poisson: Constant, plane: Plane | None) -> None:
        super().__init__()
        if plane not in ("strain", "stress", None):
            raise ValueError(f'Young: plane must be "strain", "stress" or None, got {plane!r}')
        self.young = constant("Young: young", young)
        self.poisson = constant("Young: poisson", poisson)
        if not -1.0 < float(self.poisson) < 0.5:
            raise ValueError(f"Young: poisson must lie between -1 and 1/2, got {poisson}")
        self.plane = plane

    def lame(self) -> tuple[Constant, Constant]:
        """Return lambda, for plane stress that of the plate, and mu."""
        E, nu = self.young, self.poisson
        shear = E / (2 * (1 + nu))
        if self.plane == "stress":
            # sigma_33 = 0 fixes the strain across the plate; what is left is 2 lambda mu over
            # (lambda + 2 mu) in the place of lambda.
            return E * nu / (1 - nu**2), shear
        return E * nu / ((1 + nu) * (1 - 2 * nu)), shear

    def extra_repr(self) -> str:
        """Show the parameters when printed."""
        return f"young={self.young}, poisson={self.poisson}, plane={self.plane!r}"
