"""PDE: an equation as a pointwise residual, written once for every kind of derivative."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from dtpinn.pde.derivatives import Derivatives

Condition = Callable[..., Tensor]


class PDE(nn.Module):
    """An equation and its boundary conditions, as residuals that vanish at the solution.

    Subclass it and write `residual` and `boundary`, the latter unless there is no boundary, all
    directions being periodic. Both are pointwise: row i of the result depends
    on row i of u, of its derivatives and of the points. Unknown coefficients are ``nn.Parameter``
    members, which ``fit`` trains along with the network.

    Attributes
    ----------
    fields : int
        Number of unknowns. u is (n,) for one field and (n, fields) for more.

    Examples
    --------
    >>> import torch
    >>> class Bratu(PDE):
    ...     def residual(self, u, D, x):
    ...         return D.laplacian(u) + torch.exp(u)
    ...     def boundary(self, u, D, x, n):
    ...         return u
    >>> Bratu().fields
    1
    """

    fields: int = 1

    def residual(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return the equation's residual at the collocation points.

        Parameters
        ----------
        u : (n,) or (n, fields)
        D : derivatives of u on these points
        x : (n, d)
        t : (n,), in space-time only

        Returns
        -------
        Tensor, (n,) or (n, equations)
        """
        raise NotImplementedError(f"{type(self).__name__} must define residual(self, u, D, x)")

    def boundary(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the boundary condition's residual at boundary points x with outward normals n."""
        raise NotImplementedError(
            f"{type(self).__name__} must define boundary(self, u, D, x, n), or conditions()"
        )

    def initial(self, u: Tensor, x: Tensor) -> Tensor:
        """Return the initial condition's residual at the first of the times; space-time only."""
        raise NotImplementedError(
            f"{type(self).__name__} must define initial(self, u, x) for a space-time problem"
        )

    def conditions(self) -> Mapping[str, Condition]:
        """Return one condition per named part of the boundary.

        Empty, the default: `boundary` holds on all of it. Otherwise every part must be named, each
        with a function of the signature of `boundary`.
        """
        return {}
