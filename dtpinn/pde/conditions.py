"""Boundary conditions of the linear kind: Robin, and its cases Dirichlet and Neumann."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.known import Known

Coefficient = float | Tensor


class Robin(nn.Module):
    """``alpha du/dn + beta u = g``, equation (2) of the paper.

    Parameters
    ----------
    alpha, beta : float or scalar Tensor
        An ``nn.Parameter`` is an unknown coefficient, to be learnt. For coefficients that vary
        along the boundary write the condition in :meth:`dtpinn.PDE.boundary`.
    g : callable
        (x (n, d), normal (n, d)) -> (n,); in space-time (x, normal, t).

    Examples
    --------
    >>> Robin(1.0, 0.0, lambda x, n: x[:, 0])
    Robin(alpha=1.0, beta=0.0)
    """

    def __init__(self, alpha: Coefficient, beta: Coefficient, g: Callable[..., Tensor]) -> None:
        super().__init__()
        if not isinstance(alpha, Tensor) and not isinstance(beta, Tensor) and alpha == beta == 0:
            raise ValueError("Robin: alpha and beta are both 0, which leaves no condition")
        self.alpha, self.beta = (
            _checked(name, c) for name, c in (("alpha", alpha), ("beta", beta))
        )
        self.g = g if isinstance(g, Known) else Known(g)

    def forward(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the residual on the boundary points."""
        residual = -self.g(x, n, *t)
        # A coefficient that is 0 by construction asks for no operator at all.
        if isinstance(self.alpha, Tensor) or self.alpha != 0:
            residual = residual + self.alpha * D.normal(u)
        if isinstance(self.beta, Tensor) or self.beta != 0:
            residual = residual + self.beta * u
        return residual

    def extra_repr(self) -> str:
        """Show the coefficients when printed."""
        return f"alpha={self.alpha}, beta={self.beta}"


def _checked(name: str, coefficient: Coefficient) -> Coefficient:
    if isinstance(coefficient, nn.Parameter) and coefficient.numel() == 1:
        return coefficient
    try:
        return float(coefficient)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            f"Robin: {name} must be a number or a scalar nn.Parameter, got {coefficient!r}"
        ) from None


def Dirichlet(g: Callable[..., Tensor]) -> Robin:
    """Return the condition ``u = g``; g: (x, normal) -> (n,)."""
    return Robin(0.0, 1.0, g)


def Neumann(g: Callable[..., Tensor]) -> Robin:
    """Return the condition ``du/dn = g``; g: (x, normal) -> (n,)."""
    return Robin(1.0, 0.0, g)
