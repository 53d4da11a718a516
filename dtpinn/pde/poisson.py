"""Poisson's equation with a Robin condition, linear or with a reaction: equations (1) to (3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from dtpinn.pde import manufactured
from dtpinn.pde.conditions import Robin
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.equation import PDE, Condition
from dtpinn.pde.known import Known


class Poisson(PDE):
    """``Laplacian u = reaction(u) + f`` with a condition on the boundary.

    Parameters
    ----------
    f : callable
        Source: x (n, d) -> (n,). Evaluated once per point set.
    boundary : Robin or mapping of part name to Robin
        The condition on the whole boundary, or one for every named part of it.
    reaction : callable, optional
        Pointwise, u (n,) -> (n,): ``torch.exp`` gives equation (1), None the linear (3).

    Examples
    --------
    >>> import torch
    >>> from dtpinn.pde import Dirichlet
    >>> zero = Dirichlet(lambda x, n: torch.zeros(len(x)))
    >>> Poisson(lambda x: torch.ones(len(x)), boundary=zero).on[0]
    Robin(alpha=0.0, beta=1.0)
    """

    def __init__(
        self,
        f: Callable[[Tensor], Tensor],
        boundary: Robin | Mapping[str, Robin],
        reaction: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.f = f if isinstance(f, Known) else Known(f)
        self.reaction = reaction
        if not isinstance(boundary, Mapping):
            boundary = {"": boundary}
        if not boundary or not all(isinstance(c, Robin) for c in boundary.values()):
            raise TypeError(
                "Poisson: boundary must be a Robin, Dirichlet or Neumann condition, or a mapping "
                f"of part names to such; got {boundary!r}"
            )
        # A list, for part names may hold dots, which the keys of a ModuleDict may not.
        self._parts = tuple(boundary)
        self.on = nn.ModuleList(boundary.values())

    @classmethod
    def from_solution(
        cls,
        u: Callable[[Tensor], Tensor],
        alpha: float = 1.0,
        beta: float = 1.0,
        reaction: Callable[[Tensor], Tensor] | None = None,
    ) -> Poisson:
        """Return the problem that u solves: f and g are computed from it by autograd.

        Parameters
        ----------
        u : callable
            The solution, x (n, d) -> (n,), written with torch functions.
        alpha, beta : float
            Of the Robin condition ``alpha du/dn + beta u = g``.
        reaction : callable, optional
            Pointwise, u (n,) -> (n,).
        """

        def f(x: Tensor) -> Tensor:
            source = manufactured.laplacian(u, x)
            return source if reaction is None else source - reaction(u(x))

        def g(x: Tensor, normal: Tensor) -> Tensor:
            return alpha * manufactured.normal_derivative(u, x, normal) + beta * u(x)

        return cls(f, Robin(alpha, beta, g), reaction)

    def residual(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return Laplacian u - reaction(u) - f at the collocation points."""
        residual = D.laplacian(u) - self.f(x)
        return residual if self.reaction is None else residual - self.reaction(u)

    def boundary(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the condition's residual, the same on the whole boundary."""
        if self._parts != ("",):
            raise ValueError("Poisson: the condition was given by part; see conditions()")
        result: Tensor = self.on[0](u, D, x, n)
        return result

    def conditions(self) -> Mapping[str, Condition]:
        """Return the condition of each part, where they were given by part."""
        return {} if self._parts == ("",) else dict(zip(self._parts, self.on, strict=True))
