"""The heat equation: equations (5) to (7) of the paper."""

from __future__ import annotations

from torch import Tensor

from dtpinn.pde.coefficients import Coefficient, of_place
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.diffusion import diffusion
from dtpinn.pde.forced import Boundary, Forced, Source


class Heat(Forced):
    """``u_t - div(diffusivity grad u) = f``, a condition on the boundary, and u_0 at the start.

    Parameters
    ----------
    f : callable, number or None
        Source: (x (n, d), t (n,)) -> (n,); None for 0. Evaluated once per point set.
    boundary : BoundaryCondition, list of them, or mapping of part name to these
        The condition on the whole boundary, or one for every named part of it; its data and
        coefficients are functions of (x, normal, t).
    initial : callable or number, optional
        u_0: x (n, d) -> (n,); None for 0.
    diffusivity : float, nn.Parameter or callable
        Positive, length^2 / time; 1 in the paper. A scalar Parameter is unknown, and learnt. A
        function (x (n, d), t (n,)) -> (n,), or of x alone, written with torch functions, is that of
        a medium that varies, smoothly on the scale of the spacing; an ``nn.Module`` is learnt.

    Examples
    --------
    >>> import torch, dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    >>> pde = Heat.from_solution(lambda x, t: x[:, 0] ** 2 * torch.exp(-t))
    >>> problem = dtpinn.discretize(pde, nodes, times=torch.linspace(0, 1, 5))
    >>> bool(problem.loss(lambda p: p[:, 0] ** 2 * torch.exp(-p[:, 2])) < 1e-20)
    True
    """

    in_time = True

    def __init__(
        self,
        f: Source | None,
        boundary: Boundary | None = None,
        initial: Source | None = None,
        diffusivity: Coefficient = 1.0,
    ) -> None:
        super().__init__(f, boundary, initial)
        self.diffusivity = of_place("Heat: diffusivity", diffusivity)

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return u_t - div(diffusivity grad u)."""
        return D.time(u) - diffusion(self.diffusivity, u, D, x, *t)
