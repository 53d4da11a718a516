"""The heat equation: equations (5) to (7) of the paper."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from dtpinn.pde.coefficients import Constant, constant
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.forced import Boundary, Forced


class Heat(Forced):
    """``u_t - diffusivity Laplacian u = f`` with a condition on the boundary and u_0 at the start.

    Parameters
    ----------
    f : callable or None
        Source: (x (n, d), t (n,)) -> (n,); None for 0. Evaluated once per point set.
    boundary : BoundaryCondition or mapping of part name to BoundaryCondition
        The condition on the whole boundary, or one for every named part of it; its data and
        coefficients are functions of (x, normal, t).
    initial : callable, optional
        u_0: x (n, d) -> (n,); None for 0.
    diffusivity : float or nn.Parameter
        Positive, length^2 / time; 1 in the paper. A Parameter is unknown, and learnt.

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
        f: Callable[..., Tensor] | None,
        boundary: Boundary | None = None,
        initial: Callable[[Tensor], Tensor] | None = None,
        diffusivity: Constant = 1.0,
    ) -> None:
        super().__init__(f, boundary, initial)
        self.diffusivity = constant("Heat: diffusivity", diffusivity)

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return u_t - diffusivity Laplacian u."""
        return D.time(u) - self.diffusivity * D.laplacian(u)
