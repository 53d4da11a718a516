"""Boundary conditions ``B u = g``: Robin, and its cases Dirichlet and Neumann."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from torch import Tensor, nn

from dtpinn.pde.coefficients import Coefficient, at, on_boundary, vanishes
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.known import Known, known

if TYPE_CHECKING:
    from typing_extensions import Self

Data = Callable[..., Tensor]


class BoundaryCondition(nn.Module, ABC):
    """``operator(u) = g`` on the boundary, or on a part of it.

    Parameters
    ----------
    g : callable, optional
        (x (n, d), normal (n, d)) -> (n,), or (n, fields) for a system; in space-time
        (x, normal, t). None for 0. Evaluated once per point set.

    Examples
    --------
    >>> class Radiation(BoundaryCondition):
    ...     def operator(self, u, D, x, n):
    ...         return D.normal(u) + u**4
    >>> Radiation().g is None
    True
    """

    def __init__(self, g: Data | None = None) -> None:
        super().__init__()
        self.g: Known | None = known(g)

    @abstractmethod
    def operator(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the left side of the condition on the boundary points."""

    def forward(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the residual on the boundary points."""
        left = self.operator(u, D, x, n, *t)
        return left if self.g is None else left - self.g(x, n, *t)

    def with_data(self, g: Data) -> Self:
        """Return the same condition, unknown coefficients shared, with data where it had none."""
        if self.g is not None:
            raise ValueError(
                f"{self}: its data g are found from the solution; give the condition without them"
            )
        result = copy.copy(self)
        result.g = known(g)
        return result


class Robin(BoundaryCondition):
    """``alpha du/dn + beta u = g``, equation (2) of the paper; of a system, for every field.

    Parameters
    ----------
    alpha, beta : float, nn.Parameter or callable
        A function (x (n, d), normal (n, d)) -> (n,), in space-time (x, normal, t), or one of x
        alone, varies along the boundary. A scalar Parameter is an unknown coefficient, to be
        learnt. With an equation's conductivity k as alpha it is the flux that is prescribed:
        ``Robin(k, 0.0, q)`` is k du/dn = q, ``Robin(k, h, lambda x, n: h * 20.0)`` the cooling by
        surroundings at 20 degrees, k du/dn = h (20 - u).
    g : callable, optional
        (x (n, d), normal (n, d)) -> (n,) or (n, fields); in space-time (x, normal, t). None for 0.

    Examples
    --------
    >>> Robin(1.0, 0.0, lambda x, n: x[:, 0])
    Robin(alpha=1.0, beta=0.0)
    """

    def __init__(self, alpha: Coefficient, beta: Coefficient, g: Data | None = None) -> None:
        super().__init__(g)
        self.alpha = on_boundary("Robin: alpha", alpha)
        self.beta = on_boundary("Robin: beta", beta)
        if vanishes(self.alpha) and vanishes(self.beta):
            raise ValueError("Robin: alpha and beta are both 0, which leaves no condition")

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return alpha du/dn + beta u; a coefficient that vanishes asks for no derivative."""
        if vanishes(self.alpha):
            return at(self.beta, u, x, n, *t) * u
        slope = at(self.alpha, u, x, n, *t) * D.normal(u)
        return slope if vanishes(self.beta) else slope + at(self.beta, u, x, n, *t) * u

    def extra_repr(self) -> str:
        """Show the coefficients when printed."""
        return f"alpha={self.alpha}, beta={self.beta}"


def Dirichlet(g: Data | None = None) -> Robin:
    """Return the condition ``u = g``; g: (x, normal) -> (n,), or 0."""
    return Robin(0.0, 1.0, g)


def Neumann(g: Data | None = None) -> Robin:
    """Return the condition ``du/dn = g``; g: (x, normal) -> (n,), or 0.

    Also where the equation has a conductivity k; k du/dn = g is ``Robin(k, 0.0, g)``.
    """
    return Robin(1.0, 0.0, g)
