"""Poisson's equation with a Robin condition, linear or with a reaction: equations (1) to (3)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from dtpinn.pde.coefficients import Coefficient, checked
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.diffusion import diffusion
from dtpinn.pde.forced import Boundary, Forced, Source


class Poisson(Forced):
    """``div(conductivity grad u) - reaction(u) = f`` with a condition on the boundary.

    Without a conductivity it is 1, and the equation ``Laplacian u - reaction(u) = f``.

    Parameters
    ----------
    f : callable, number or None
        Source: x (n, d) -> (n,); None for 0. Evaluated once per point set.
    boundary : BoundaryCondition, list of them, or mapping of part name to these
        The condition on the whole boundary, or one for every named part of it.
    reaction : callable, optional
        Pointwise, u (n,) -> (n,): ``torch.exp`` gives equation (1), None the linear (3). An
        ``nn.Module`` is learnt.
    conductivity : float, nn.Parameter or callable, optional
        k > 0. A function x (n, d) -> (n,), written with torch functions, is that of a medium that
        varies, smoothly on the scale of the spacing; NodalData one that is known at nodes. A scalar
        Parameter is unknown, and learnt, and so is an ``nn.Module``, such as a network of its own.
        A prescribed flux k du/dn = g is the condition ``Robin(k, 0.0, g)``; ``Neumann(g)`` remains
        du/dn = g.

    Examples
    --------
    >>> import torch
    >>> from dtpinn.pde import Dirichlet
    >>> Poisson(lambda x: torch.ones(len(x)), boundary=Dirichlet()).on[0]
    Robin(alpha=0.0, beta=1.0)
    >>> pde = Poisson.from_solution(lambda x: x[:, 0] ** 2, reaction=torch.exp)
    >>> pde.f(torch.zeros(1, 2))
    tensor([1.])

    A wall of conductivity 1 + x between 0 and 1 degree: u = log(1 + x) / log 2.

    >>> import dtpinn
    >>> wall = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.02)
    >>> ends = Dirichlet(lambda x, n: x[:, 0])
    >>> pde = Poisson(None, ends, conductivity=lambda x: 1 + x[:, 0])
    >>> problem = dtpinn.discretize(pde, wall)
    >>> bool((problem.solve() - torch.log2(1 + problem.points[:, 0])).abs().max() < 1e-6)
    True
    """

    def __init__(
        self,
        f: Source | None,
        boundary: Boundary | None = None,
        reaction: Callable[[Tensor], Tensor] | None = None,
        conductivity: Coefficient = 1.0,
    ) -> None:
        super().__init__(f, boundary)
        self.reaction = reaction
        self.conductivity = checked("Poisson: conductivity", conductivity)

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return div(conductivity grad u) - reaction(u)."""
        left = diffusion(self.conductivity, u, D, x)
        return left if self.reaction is None else left - self.reaction(u)
