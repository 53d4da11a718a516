"""Isotropic linear elastic materials: stress from the gradient of the displacement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import torch
from torch import Tensor, nn

from dtpinn.pde.coefficients import Checked, Coefficient, Constant, checked, constant
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.diffusion import with_gradient

Plane = Literal["strain", "stress"]


class Material(nn.Module, ABC):
    """``sigma = lambda div u I + mu (grad u + grad u^T)``; lambda and mu may vary in space.

    Shared by an equation and the tractions on its boundary.
    """

    @abstractmethod
    def lame(self, x: Tensor | None = None) -> tuple[Constant, Constant]:
        """Return lambda and mu as they enter the stress in the dimension of the problem.

        Parameters
        ----------
        x : (n, d), optional
            Needed where they vary; they are (n,) then.
        """

    @abstractmethod
    def lame_gradients(self, x: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Return the gradients (n, d) of lambda and mu; None of what is the same everywhere."""

    def stress(self, u: Tensor, D: Derivatives) -> Tensor:
        """Return the stress tensor (n, d, d) of the displacement u (n, d)."""
        first, shear = (_by_point(p, 3) for p in self.lame(D.points))
        gradient = D.gradient(u)
        divergence = torch.einsum("nii->n", gradient)
        identity = torch.eye(D.dimension, dtype=u.dtype, device=u.device)
        return first * divergence[:, None, None] * identity + shear * (gradient + gradient.mT)

    def divergence_of_stress(self, u: Tensor, D: Derivatives) -> Tensor:
        """Return div sigma (n, d) of the displacement u (n, d).

        ``mu Laplacian u + (lambda + mu) grad div u``, and where they vary
        ``+ div u grad lambda + (grad u + grad u^T) grad mu``.
        """
        x, axes = D.points, range(D.dimension)
        first, shear = (_by_point(p, 2) for p in self.lame(x))
        second = {(i, j): D.partial(u, i, j) for i in axes for j in axes if i <= j}
        laplacian = torch.stack([second[i, i] for i in axes]).sum(0)
        grad_div = [
            torch.stack([second[min(i, j), max(i, j)][:, j] for j in axes]).sum(0) for i in axes
        ]
        result = shear * laplacian + (first + shear) * torch.stack(grad_div, dim=1)
        grad_first, grad_shear = self.lame_gradients(x)
        if grad_first is not None:
            divergence = torch.einsum("nii->n", D.gradient(u))
            result = result + divergence[:, None] * grad_first
        if grad_shear is not None:
            gradient = D.gradient(u)
            result = result + torch.einsum("nij,nj->ni", gradient + gradient.mT, grad_shear)
        return result


class Lame(Material):
    """A material by its Lame parameters, which enter the stress as they stand.

    In the plane that is plane strain; for plane stress give :class:`Young`.

    Parameters
    ----------
    first, shear : float, nn.Parameter or callable
        lambda and mu, force / area. mu > 0 and 3 lambda + 2 mu > 0. A function x (n, d) -> (n,),
        written with torch functions, is that of a body that varies; an ``nn.Module`` is learnt.

    Examples
    --------
    >>> Lame(1.0, 0.5)
    Lame(first=1.0, shear=0.5)
    """

    def __init__(self, first: Coefficient, shear: Coefficient) -> None:
        super().__init__()
        self.first, self.shear = checked("Lame: first", first), checked("Lame: shear", shear)

    def lame(self, x: Tensor | None = None) -> tuple[Constant, Constant]:
        """Return lambda and mu."""
        return _value(self.first, x), _value(self.shear, x)

    def lame_gradients(self, x: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Return the gradients of lambda and mu, None where they are the same everywhere."""
        return _gradient(self.first, x), _gradient(self.shear, x)

    def extra_repr(self) -> str:
        """Show the parameters when printed."""
        return f"first={self.first}, shear={self.shear}"


class Young(Material):
    """A material by Young's modulus and Poisson's ratio.

    Parameters
    ----------
    young : float, nn.Parameter or callable
        E > 0, force / area. A function x (n, d) -> (n,), written with torch functions, is that of
        a body that is graded, smoothly on the scale of the spacing; an ``nn.Module`` is learnt.
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

    def __init__(self, young: Coefficient, poisson: Constant, plane: Plane | None) -> None:
        super().__init__()
        if plane not in ("strain", "stress", None):
            raise ValueError(f'Young: plane must be "strain", "stress" or None, got {plane!r}')
        self.young = checked("Young: young", young)
        self.poisson = constant("Young: poisson", poisson)
        if not -1.0 < float(self.poisson) < 0.5:
            raise ValueError(f"Young: poisson must lie between -1 and 1/2, got {poisson}")
        self.plane = plane

    def lame(self, x: Tensor | None = None) -> tuple[Constant, Constant]:
        """Return lambda, for plane stress that of the plate, and mu."""
        E, (first, shear) = _value(self.young, x), self._of_young()
        return E * first, E * shear

    def lame_gradients(self, x: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Return the gradients of lambda and mu, None where Young's modulus is one number."""
        slopes = _gradient(self.young, x)
        if slopes is None:
            return None, None
        first, shear = self._of_young()
        return first * slopes, shear * slopes

    def _of_young(self) -> tuple[Constant, Constant]:
        """Return lambda and mu of E = 1."""
        nu = self.poisson
        shear = 0.5 / (1 + nu)
        if self.plane == "stress":
            # sigma_33 = 0 fixes the strain across the plate; what is left is 2 lambda mu over
            # (lambda + 2 mu) in the place of lambda.
            return nu / (1 - nu**2), shear
        return nu / ((1 + nu) * (1 - 2 * nu)), shear

    def extra_repr(self) -> str:
        """Show the parameters when printed."""
        return f"young={self.young}, poisson={self.poisson}, plane={self.plane!r}"


def _value(coefficient: Checked, x: Tensor | None) -> Constant:
    if isinstance(coefficient, (float, Tensor)):
        return coefficient
    if x is None:
        raise TypeError(f"lame(): {coefficient} varies in space; give the points, lame(x)")
    return with_gradient(coefficient, x)[0]


def _gradient(coefficient: Checked, x: Tensor) -> Tensor | None:
    return None if isinstance(coefficient, (float, Tensor)) else with_gradient(coefficient, x)[1]


def _by_point(parameter: Constant, dimensions: int) -> Constant:
    """As it is multiplied with (n, ...) of so many dimensions."""
    if isinstance(parameter, Tensor) and parameter.dim() == 1:
        return parameter.reshape(-1, *[1] * (dimensions - 1))
    return parameter
