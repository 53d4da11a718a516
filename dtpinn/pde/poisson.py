"""Poisson's equation with a Robin condition, linear or with a reaction: equations (1) to (3)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.forced import Boundary, Forced


class Poisson(Forced):
    """``Laplacian u - reaction(u) = f`` with a condition on the boundary.

    Parameters
    ----------
    f : callable or None
        Source: x (n, d) -> (n,); None for 0. Evaluated once per point set.
    boundary : BoundaryCondition or mapping of part name to BoundaryCondition
        The condition on the whole boundary, or one for every named part of it.
    reaction : callable, optional
        Pointwise, u (n,) -> (n,): ``torch.exp`` gives equation (1), None the linear (3). An
        ``nn.Module`` is learnt.

    Examples
    --------
    >>> import torch
    >>> from dtpinn.pde import Dirichlet
    >>> Poisson(lambda x: torch.ones(len(x)), boundary=Dirichlet()).on[0]
    Robin(alpha=0.0, beta=1.0)
    >>> pde = Poisson.from_solution(lambda x: x[:, 0] ** 2, reaction=torch.exp)
    >>> pde.f(torch.zeros(1, 2))
    tensor([1.])
    """

    def __init__(
        self,
        f: Callable[[Tensor], Tensor] | None,
        boundary: Boundary | None = None,
        reaction: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__(f, boundary)
        self.reaction = reaction

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return Laplacian u - reaction(u)."""
        left = D.laplacian(u)
        return left if self.reaction is None else left - self.reaction(u)
