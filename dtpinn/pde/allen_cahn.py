"""The Allen-Cahn equation: two phases and the moving interface between them."""

from __future__ import annotations

from torch import Tensor

from dtpinn.pde.coefficients import Constant, constant
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.forced import Boundary, Forced, Source


class AllenCahn(Forced):
    """``u_t = epsilon^2 Laplacian u + u - u^3 + f``, usually with ``Neumann()`` on the boundary.

    The phases are u = 1 and u = -1; u = 0 is unstable. Interfaces are about 3 epsilon wide, which
    the spacing of the nodes has to resolve, form in a time of order 1 and then move by their
    curvature with speed of order epsilon^2.

    Parameters
    ----------
    f : callable, number or None
        Source: (x (n, d), t (n,)) -> (n,); None for 0. Evaluated once per point set.
    boundary : BoundaryCondition, list of them, or mapping of part name to these
        The condition on the whole boundary, or one for every named part of it; its data and
        coefficients are functions of (x, normal, t).
    initial : callable or number, optional
        u_0: x (n, d) -> (n,), within [-1, 1] as a rule; None for 0.
    epsilon : float or nn.Parameter
        Positive, a length, small beside the domain. A Parameter is unknown, and learnt.

    Examples
    --------
    The flat interface at rest, which nothing has to force:

    >>> import torch
    >>> front = lambda x, t: torch.tanh(x[:, 0] / (0.1 * 2**0.5))
    >>> pde = AllenCahn.from_solution(front, epsilon=0.1)
    >>> x, t = torch.rand(5, 2, dtype=torch.float64), torch.zeros(5, dtype=torch.float64)
    >>> bool(pde.f(x, t).abs().max() < 1e-14)
    True
    """

    in_time = True

    def __init__(
        self,
        f: Source | None,
        boundary: Boundary | None = None,
        initial: Source | None = None,
        *,
        epsilon: Constant,
    ) -> None:
        super().__init__(f, boundary, initial)
        self.epsilon = constant("AllenCahn: epsilon", epsilon)

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return u_t - epsilon^2 Laplacian u - u + u^3."""
        return D.time(u) - self.epsilon**2 * D.laplacian(u) - u + u**3
